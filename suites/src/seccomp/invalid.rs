//! Filters that cannot be: each row is a filter that can, a place in it, and what cannot stand there.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use serde_json::{Value, json};

use super::filter::{SECCOMP, with_rule};
use crate::refusal;

fn good() -> Value {
    let compared = json!([{ "index": 1, "op": "SCMP_CMP_EQ", "value": 7 }]);
    let mut seccomp =
        with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": compared }));
    seccomp["architectures"] = json!(["SCMP_ARCH_X86_64"]);
    seccomp["flags"] = json!([]);
    seccomp
}

/// The good filter with something else at a pointer; text that is no JSON takes the member away.
macro_rules! invalid {
    ($cites:expr; $($name:literal, $at:literal: $valid:literal not $invalid:literal;)*) => {
        &[$(Scenario::new(
            concat!("seccomp.invalid/", $name),
            $cites,
            &[Fault::Take(concat!("/linux/seccomp", $at), $valid)],
            |lab, out| {
                lab.control(|r| r.set(SECCOMP, good()))?;
                let bad = lab.bundle(|r| match serde_json::from_str::<Value>($invalid) {
                    Ok(value) => r.set(SECCOMP, good()).set(concat!("/linux/seccomp", $at), value),
                    Err(_) => r.set(SECCOMP, good()).remove(concat!("/linux/seccomp", $at)),
                })?;
                refusal::by_create_or_start(lab, out, &bad)
            },
        )),*]
    };
}

const NO_ERRNO: &[&str] = &["linux.seccomp.errno-ret-unsupported-error"];
const NO_DEFAULT_ERRNO: &[&str] = &["linux.seccomp.default-errno-ret-unsupported-error"];

pub(super) const ERRNO: &[Scenario] = invalid! { NO_ERRNO;
    "errno-with-kill", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_KILL\"";
    "errno-with-kill-process", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_KILL_PROCESS\"";
    "errno-with-trap", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_TRAP\"";
    "errno-with-log", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_LOG\"";
    "errno-with-allow", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_ALLOW\"";
};

pub(super) const DEFAULT_ERRNO: &[Scenario] = invalid! { NO_DEFAULT_ERRNO;
    "default-errno-with-allow", "/defaultErrnoRet": "" not "1";
};

const VALUE: &[&str] = &["config.values.invalid-error", "runtime.errors.no-side-effects"];

pub(super) const VALUES: &[Scenario] = invalid! { VALUE;
    "default-action-is-unknown", "/defaultAction": "\"SCMP_ACT_ALLOW\"" not "\"SCMP_ACT_NOSUCH\"";
    "default-action-is-missing", "/defaultAction": "\"SCMP_ACT_ALLOW\"" not "";
    "action-is-unknown", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"SCMP_ACT_NOSUCH\"";
    "action-in-other-case", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "\"scmp_act_errno\"";
    "action-is-missing", "/syscalls/0/action": "\"SCMP_ACT_ERRNO\"" not "";
    "operator-is-unknown", "/syscalls/0/args/0/op": "\"SCMP_CMP_EQ\"" not "\"SCMP_CMP_NOSUCH\"";
    "operator-is-missing", "/syscalls/0/args/0/op": "\"SCMP_CMP_EQ\"" not "";
    "index-is-6", "/syscalls/0/args/0/index": "1" not "6";
    "index-is-negative", "/syscalls/0/args/0/index": "1" not "-1";
    "value-is-negative", "/syscalls/0/args/0/value": "7" not "-7";
    "value-is-2-to-64", "/syscalls/0/args/0/value": "7" not "18446744073709551616";
    "value-is-a-string", "/syscalls/0/args/0/value": "7" not "\"7\"";
    "names-is-a-string", "/syscalls/0/names": "[\"readahead\"]" not "\"readahead\"";
    "architecture-is-unknown", "/architectures": "[\"SCMP_ARCH_X86_64\"]" not "[\"SCMP_ARCH_NOSUCH\"]";
    "flag-is-unknown", "/flags": "[]" not "[\"SECCOMP_FILTER_FLAG_NOSUCH\"]";
    "syscalls-is-an-object", "/syscalls": "[]" not "{\"names\": [\"readahead\"], \"action\": \"SCMP_ACT_ERRNO\"}";
    "seccomp-is-a-list", "": "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}" not "[]";
};

const EMPTY_LIST: &[&str] = &["linux.seccomp.names-non-empty", "config.values.invalid-error"];

pub(super) const EMPTY: &[Scenario] = invalid! { EMPTY_LIST;
    "names-is-empty", "/syscalls/0/names": "[\"readahead\"]" not "[]";
};
