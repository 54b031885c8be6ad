//! A seccomp filter is written for the program: a filter that denies calls that runc does not need once it is in force must not stop the
//! container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::{Value, json};

use super::compat;
use crate::seccomp::filter::by_default;

pub(super) const ALSO_EXECVE: &[Fault] = &[Fault::Push("/linux/seccomp/syscalls/0/names", "\"execve\"")];

/// One scenario a row: a system call.
macro_rules! of_calls {
    ($id:literal, $needs:expr, $proves:expr, $judge:expr; $($name:literal)*) => {
        compat! { $(
            concat!($id, "/", $name), $needs, $proves, |lab, out| {
                let judge: fn(&Lab<'_>, &mut Judgement, &str) -> StepResult = $judge;
                judge(lab, out, &$name.replace('-', "_"))
            };
        )* }
    };
}

pub(super) use of_calls;

/// One scenario a row: whether the program may gain privileges, which decides when a filter can be installed.
macro_rules! of_hooks {
    ($($name:literal, $no_new_privileges:literal;)*) => {
        compat! { $(
            concat!("compat.filter.start-container-hooks/", $name), &[],
                &[Fault::Drop("/linux/seccomp"), Fault::Move("/hooks/startContainer", "/hooks/poststart")], |lab, out| {
                    hook_is_filtered(lab, out, $no_new_privileges)
                };
        )* }
    };
}

/// They are programs of the image, like that of the container.
pub(super) const HOOKS: &[Scenario] = of_hooks! {
    "with-no-new-privileges", true;
    "without-no-new-privileges", false;
};

/// As profiles of engines do, the filter says that there is no clone3(2), which a runtime has to do without.
fn hook_is_filtered(lab: &Lab<'_>, out: &mut Judgement, no_new_privileges: bool) -> StepResult {
    let container = lab.created(|r| {
        let r = r.set("/process/noNewPrivileges", no_new_privileges).hook("startContainer", "it", &[]);
        r.set("/linux/seccomp", denying("clone3", libc::ENOSYS))
    })?;
    container.started()?;
    let log = container.bundle.hook_log()?;
    let modes: Vec<i64> = log.iter().map(|record| record.seccomp).collect();
    out.expect_eq("mode of seccomp in the hook", modes, [2]);
    container.finish_and_delete()
}

/// A C library tries a call that is newer than the profile, and does without it only where there is no such call.
pub(super) const NEWER: &[Scenario] = compat! {
    "compat.filter.newer-calls/are-not-there", &[],
        &[Fault::Drop("/linux/seccomp/syscalls")],
        |lab, out| {
            let container = lab.running(|r| r.set("/linux/seccomp", by_default("SCMP_ACT_ERRNO", Some(libc::EPERM))))?;
            let number = 10_000;
            let newer = container.ask(Ask::Syscall { number, arguments: Vec::new() })?;
            let errno = newer.as_ref().err().map(|refused| refused.errno);
            out.expect_eq("error of a call with a number above all of the profile", errno, Some(libc::ENOSYS));
            container.finish_and_delete()
        };
};

pub(super) fn denying(call: &str, errno: i32) -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": [call], "action": "SCMP_ACT_ERRNO", "errnoRet": errno }],
    })
}

pub(super) const SCENARIOS: &[Scenario] = of_calls! {
    "compat.filter.denied", &[], ALSO_EXECVE, |lab, out, call| runs_without(lab, out, call, false);
    "accept4" "close-range" "execveat" "fchdir" "keyctl" "openat2" "personality" "recvmsg" "sched-setattr" "sendmsg" "sendto"
    "setns" "setresgid" "setresuid" "umask"
};

/// As if it were forbidden, and as if this kernel had it not.
pub(super) fn runs_without(lab: &Lab<'_>, out: &mut Judgement, call: &str, no_new_privileges: bool) -> StepResult {
    for (errno, uid) in [(libc::EPERM, 0), (libc::EPERM, 1000), (libc::ENOSYS, 0), (libc::ENOSYS, 1000)] {
        let container = lab.running(|r| {
            let r = r.set("/process/noNewPrivileges", no_new_privileges);
            r.set("/process/user", json!({ "uid": uid, "gid": uid })).set("/linux/seccomp", denying(call, errno))
        })?;
        // By a file: the call that tells may be the one that is denied.
        let status = container.ask(Ask::Read("/proc/self/status".into()))?;
        let is_filtered =
            matches!(&status, Ok(Reply::Bytes(text)) if String::from_utf8_lossy(text).contains("Seccomp:\t2"));
        out.expect("the program", is_filtered, "under a filter", &status);
        container.finish_and_delete()?;
    }
    Ok(())
}
