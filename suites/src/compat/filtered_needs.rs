//! A filter that denies what runtimes may still do when it is in force: it changes nothing about the program, or there is no program.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

use super::compat;
use super::filtered::{ALSO_EXECVE, denying, of_calls, runs_without};

const SYS_ADMIN: u64 = 1 << 21;
const OTHER_USER: &[Fault] = &[Fault::Take("/process/user/uid", "0"), Fault::Drop("/linux/seccomp")];

/// With `noNewPrivileges` a filter can be the last thing before the program.
pub(super) const AT_THE_END: &[Scenario] = of_calls! {
    "compat.filter.denied-at-the-end", &[], ALSO_EXECVE, |lab, out, call| runs_without(lab, out, call, true);
    "accept4" "capset" "chdir" "close-range" "execveat" "fchdir" "keyctl" "openat2" "personality" "prctl" "recvmsg"
    "sched-setattr" "setgid" "setgroups" "setns" "setuid"
};

/// Without it the filter comes first, where the runtime has the privilege to install it.
pub(super) const SCENARIOS: &[Scenario] = of_calls! {
    "compat.filter.needed", &[Need::HostView], OTHER_USER, runs_as_configured;
    "capset" "chdir" "prctl" "setgid" "setgroups" "setuid"
};

/// Whether the runtime needs the call is its own affair. A program that it runs without is that of the configuration.
fn runs_as_configured(lab: &Lab<'_>, out: &mut Judgement, call: &str) -> StepResult {
    for (errno, no_new_privileges) in [(libc::EPERM, false), (libc::ENOSYS, false), (libc::ENOSYS, true)] {
        let bundle = lab.bundle(|r| {
            let r =
                r.directory("/work").set("/process/cwd", "/work").set("/process/noNewPrivileges", no_new_privileges);
            let r = r.set("/process/user", json!({ "uid": 1000, "gid": 1001, "additionalGids": [1002] }));
            r.set("/linux/seccomp", denying(call, errno))
        })?;
        let attempt = lab.try_create(&bundle)?;
        if !attempt.outcome.succeeded() {
            continue;
        }
        // It may have ended right after create.
        let container = match attempt.container() {
            Err(Stop::Broken(_)) => None,
            made => Some(made?),
        };
        if let Some(container) = container
            && container.start()?.succeeded()
            && spoke(&container)?
        {
            is_confined(&container, out)?;
        }
        crate::refusal::discard(lab, &bundle.id)?;
    }
    Ok(())
}

fn spoke(container: &Container<'_>) -> StepResult<bool> {
    match container.greeted() {
        Ok(_) => Ok(true),
        Err(Stop::Broken(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

fn is_confined(container: &Container<'_>, out: &mut Judgement) -> StepResult {
    let status = container.observe()?.status;
    out.expect_eq("users", status.uids, [1000; 4]);
    out.expect_eq("groups", status.gids, [1001; 4]);
    out.expect_eq("additional groups", &status.groups, &vec![1002]);
    out.expect_eq("mode of seccomp", status.seccomp, Some(2));
    out.expect_eq("effective capabilities", status.capabilities.effective, 0);
    let more = status.capabilities.bounding & SYS_ADMIN != 0;
    out.expect("bounding set", !more, "without CAP_SYS_ADMIN", &status.capabilities);
    out.expect_eq("current directory", container.ask(Ask::Cwd)?, Ok(Reply::Text("/work".into())));
    Ok(())
}
