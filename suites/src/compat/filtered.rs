//! A filter of system calls is written for the program: one that denies what runc does not need once it is in force stops no
//! container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, Told};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use super::compat;

const ALSO_EXECVE: &[Fault] = &[Fault::Push("/linux/seccomp/syscalls/0/names", "\"execve\"")];

/// One scenario a row: a system call.
macro_rules! denied {
    ($($name:literal)*) => {
        compat! { $(
            concat!("compat.filter.denied/", $name), &[], ALSO_EXECVE, |lab, out| runs_without(lab, out, &$name.replace('-', "_"));
        )* }
    };
}

pub(super) const SCENARIOS: &[Scenario] = denied! {
    "close-range" "fchdir" "personality" "recvmsg" "sendto" "setresgid" "setresuid" "umask"
};

fn runs_without(lab: &Lab<'_>, out: &mut Judgement, call: &str) -> Told {
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": [call], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::EPERM }],
    });
    let edits = |uid: u32| json!({ "uid": uid, "gid": uid });
    for uid in [0, 1000] {
        let container = lab.running(|r| {
            let r = r.set("/process/noNewPrivileges", false).set("/process/user", edits(uid));
            r.set("/linux/seccomp", &filter)
        })?;
        let mode = container.evidence(vec![Ask::Seccomp])?;
        out.expect_eq("mode of seccomp", mode.inside.count(&Ask::Seccomp), Ok(2));
        container.finish_and_delete()?;
    }
    Ok(())
}
