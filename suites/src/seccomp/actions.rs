//! What each action does to a call, as the action of a rule and as the one for all other calls; flags and architectures.

use nix::libc;
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use serde_json::{Value, json};

use super::filter::{self, SECCOMP, UNUSUAL, by_default, with_rule};
use crate::process::privileges::{NNP, NO_NEW_BY_HOST};

const ACTION: &str = "/linux/seccomp/syscalls/0/action";

/// A rule for `readahead`.
fn rule(action: &str) -> Value {
    json!({ "names": ["readahead"], "action": action })
}

fn with_errno(mut rule: Value, errno: i32) -> Value {
    rule["errnoRet"] = errno.into();
    rule
}

macro_rules! actions {
    ($($name:literal, $clause:literal, $rule:expr, $faults:expr;)*) => {
        &[$(Case::new(
            &Rule::new(
                concat!("seccomp.", $clause),
                &[concat!("linux.seccomp.", $clause), "linux.seccomp.syscalls-matched"],
                filter::asks,
                filter::judge,
            ),
            $name,
            |r| r.set(SECCOMP, with_rule(&$rule)),
            $faults,
        )),*]
    };
}

/// Taken for an error, or for nothing.
const NOT_KILLED: &[Fault] = &[Fault::Drop(SECCOMP), Fault::Take(ACTION, "\"SCMP_ACT_ERRNO\"")];
const NOT_THROUGH: &[Fault] = &[Fault::Take(ACTION, "\"SCMP_ACT_ERRNO\""), Fault::Take(ACTION, "\"SCMP_ACT_KILL\"")];
const ERRNO: &str = "/linux/seccomp/syscalls/0/errnoRet";

pub(super) const CASES: &[Case] = actions! {
    "of-a-rule", "action-kill", rule("SCMP_ACT_KILL"), NOT_KILLED;
    "of-a-rule", "action-kill-process", rule("SCMP_ACT_KILL_PROCESS"), NOT_KILLED;
    "of-a-rule", "action-kill-thread", rule("SCMP_ACT_KILL_THREAD"), NOT_KILLED;
    "without-a-handler", "action-trap", rule("SCMP_ACT_TRAP"), NOT_KILLED;
    "of-a-rule", "action-errno", with_errno(rule("SCMP_ACT_ERRNO"), UNUSUAL), &[Fault::Drop(ERRNO), Fault::Drop(SECCOMP)];
    "without-a-tracer", "action-trace", rule("SCMP_ACT_TRACE"), NOT_KILLED;
    "of-a-rule", "action-allow", rule("SCMP_ACT_ALLOW"), NOT_THROUGH;
    "of-a-rule", "action-log", rule("SCMP_ACT_LOG"), NOT_THROUGH;
    "large", "errno-ret-applied", with_errno(rule("SCMP_ACT_ERRNO"), 4094), &[Fault::Drop(ERRNO), Fault::Take(ERRNO, "255")];
    "no-such-file", "errno-ret-applied", with_errno(rule("SCMP_ACT_ERRNO"), libc::ENOENT), &[Fault::Drop(ERRNO)];
    "absent", "errno-ret-eperm", rule("SCMP_ACT_ERRNO"), &[Fault::Drop(SECCOMP), Fault::Take(ERRNO, "38")];
    "two-names", "names-all-matched",
        json!({ "names": ["readahead", "sync_file_range"], "action": "SCMP_ACT_ERRNO" }),
        &[Fault::DropLast("/linux/seccomp/syscalls/0/names"), Fault::Drop("/linux/seccomp/syscalls/0/names/0")];
};

const DEFAULT: &str = "/linux/seccomp/defaultAction";

const BY_DEFAULT: Rule = Rule::new(
    "seccomp.default-action",
    &[
        "linux.seccomp.default-action-applied",
        "linux.seccomp.default-errno-ret-applied",
        "linux.seccomp.default-errno-ret-eperm",
        "linux.seccomp.syscalls-matched",
    ],
    filter::asks,
    filter::judge,
);

macro_rules! defaults {
    ($($name:literal, $action:literal, $errno:expr, $faults:expr;)*) => {
        &[$(Case::new(&BY_DEFAULT, $name, |r| r.set(SECCOMP, by_default($action, $errno)), $faults)),*]
    };
}

const LET_THROUGH: &[Fault] = &[Fault::Drop(SECCOMP), Fault::Take(DEFAULT, "\"SCMP_ACT_ALLOW\"")];

pub(super) const DEFAULTS: &[Case] = defaults! {
    "errno", "SCMP_ACT_ERRNO", None, LET_THROUGH;
    "errno-of-its-own", "SCMP_ACT_ERRNO", Some(UNUSUAL), &[Fault::Drop("/linux/seccomp/defaultErrnoRet")];
    "kill", "SCMP_ACT_KILL", None, LET_THROUGH;
    "kill-process", "SCMP_ACT_KILL_PROCESS", None, LET_THROUGH;
    "kill-thread", "SCMP_ACT_KILL_THREAD", None, LET_THROUGH;
    "trap", "SCMP_ACT_TRAP", None, LET_THROUGH;
    "trace", "SCMP_ACT_TRACE", None, LET_THROUGH;
    "log", "SCMP_ACT_LOG", None, &[Fault::Take(DEFAULT, "\"SCMP_ACT_ERRNO\"")];
};

/// The filter is at work, whatever else is asked for.
const WITH_FLAGS: Rule = Rule::new("seccomp.flags", &["linux.seccomp.flags-applied"], filter::asks, filter::judge);
const WITH_ARCHITECTURES: Rule =
    Rule::new("seccomp.architectures", &["linux.seccomp.architectures-applied"], filter::asks, filter::judge);

/// A filter that keeps one call from the program.
fn denied() -> Value {
    with_rule(&rule("SCMP_ACT_ERRNO"))
}

fn also(member: &str, words: &[&str]) -> Value {
    let mut seccomp = denied();
    seccomp[member] = json!(words);
    seccomp
}

macro_rules! also {
    ($rule:ident, $member:literal: $($name:literal, $words:expr;)*) => {
        &[$(Case::new(&$rule, $name, |r| r.set(SECCOMP, also($member, &$words)), &[Fault::Drop(SECCOMP)])),*]
    };
}

pub(super) const FLAGS: &[Case] = also! { WITH_FLAGS, "flags":
    "none", [];
    "thread-sync", ["SECCOMP_FILTER_FLAG_TSYNC"];
    "log", ["SECCOMP_FILTER_FLAG_LOG"];
    "speculation", ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"];
    "log-and-speculation", ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"];
};

pub(super) const ARCHITECTURES: &[Case] = also! { WITH_ARCHITECTURES, "architectures":
    "three-of-a-family", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
    "foreign-too", ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_PPC64LE"];
};

/// Without `noNewPrivileges` it takes CAP_SYS_ADMIN to install a filter, seccomp(2): a runtime that has become the container's user
/// by then cannot, and one that sets the flag to get it through takes more than it was given.
const PRIVILEGED: Rule = Rule::new(
    "seccomp.without-no-new-privileges",
    &["linux.seccomp.action-errno", "config.process.no-new-privileges-set"],
    filter::asks,
    |config, evidence, out| {
        if config.get(SECCOMP).is_none() {
            return;
        }
        filter::judge(config, evidence, out);
        (NO_NEW_BY_HOST.judge)(config, evidence, out);
    },
)
.needs(&[Need::HostView]);

const NOT_INSTALLED: &[Fault] = &[Fault::Drop(SECCOMP), Fault::Take(NNP, "true"), Fault::Fail(Op::Create)];

pub(super) const WITHOUT_NNP: &[Case] = &[
    Case::new(&PRIVILEGED, "of-root", |r| r.set(SECCOMP, denied()).set(NNP, false), NOT_INSTALLED),
    Case::new(
        &PRIVILEGED,
        "of-another-user",
        |r| r.set(SECCOMP, denied()).set(NNP, false).set("/process/user/uid", 1000),
        NOT_INSTALLED,
    ),
    Case::new(
        &PRIVILEGED,
        "without-capabilities",
        |r| r.set(SECCOMP, denied()).set(NNP, false).remove("/process/capabilities"),
        NOT_INSTALLED,
    ),
];
