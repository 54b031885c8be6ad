//! What the program inherits from the caller of the runtime if the configuration says nothing: oomScoreAdj and umask, but not its groups.
//! Each scenario changes its own process, which is the parent of the runtime and ends with the scenario.

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, setgroups};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Octal;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::Ask;

const OOM: &str = "/process/oomScoreAdj";

fn own_oom_score_adj(value: i32) -> StepResult {
    std::fs::write("/proc/self/oom_score_adj", value.to_string()).map_err(Stop::error("set our own oom_score_adj"))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "process.oom-score-adj.unset/stays-that-of-the-caller",
        &["config.process.oom-score-adj-unset-unchanged"],
        &[Fault::Take(OOM, "500")],
        |lab, out| {
            own_oom_score_adj(321)?;
            let container = lab.running(|r| r.remove(OOM))?;
            out.expect_eq("oom_score_adj", container.observe()?.oom_score_adj, 321);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "process.oom-score-adj.set/replaces-that-of-the-caller",
        &["config.process.oom-score-adj-set"],
        &[Fault::Drop(OOM)],
        |lab, out| {
            own_oom_score_adj(321)?;
            let container = lab.running(|r| r.set(OOM, 400))?;
            out.expect_eq("oom_score_adj", container.observe()?.oom_score_adj, 400);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "process.oom-score-adj.set/zero-is-a-value",
        &["config.process.oom-score-adj-set"],
        &[Fault::Drop(OOM)],
        |lab, out| {
            own_oom_score_adj(321)?;
            let container = lab.running(|r| r.set(OOM, 0))?;
            out.expect_eq("oom_score_adj", container.observe()?.oom_score_adj, 0);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "process.user.umask.unset/stays-that-of-the-caller",
        &["config.user.umask-unset-inherited"],
        &[Fault::Take("/process/user/umask", "18")],
        |lab, out| {
            umask(Mode::from_bits_truncate(0o027));
            let container = lab.running(|r| r.remove("/process/user/umask"))?;
            let evidence = container.evidence(vec![Ask::Umask])?;
            out.expect_eq("umask", evidence.inside.count(&Ask::Umask).map(Octal), Ok(Octal(0o027)));
            container.finish_and_delete()
        },
    )
    .advisory("the text advises in lower case, \"should not\", which is no key word of RFC 2119"),
    Scenario::new(
        "process.user.umask.set/replaces-that-of-the-caller",
        &["config.user.umask-applied"],
        &[Fault::Take("/process/user/umask", "23"), Fault::Take("/process/user/umask", "19")],
        |lab, out| {
            umask(Mode::from_bits_truncate(0o027));
            let container = lab.running(|r| r.set("/process/user/umask", 0o022))?;
            let evidence = container.evidence(vec![Ask::Umask])?;
            out.expect_eq("umask", evidence.inside.count(&Ask::Umask).map(Octal), Ok(Octal(0o022)));
            container.finish_and_delete()
        },
    ),
    Scenario::new(
        "process.user.groups/not-those-of-the-caller",
        &["config.user.additional-gids-applied"],
        &[Fault::Take("/process/user/additionalGids", "[7777, 5000]")],
        |lab, out| {
            setgroups(&[Gid::from_raw(0), Gid::from_raw(7777)])?;
            let container = lab.running(|r| r.set("/process/user/additionalGids", [5000]))?;
            let evidence = container.evidence(vec![Ask::Ids])?;
            let mut groups = evidence.inside.ids().map(|ids| ids.groups.clone());
            if let Ok(groups) = &mut groups {
                groups.retain(|group| *group != 0);
            }
            out.expect_eq("supplementary groups besides the primary one", groups, Ok(vec![5000]));
            container.finish_and_delete()
        },
    ),
    Scenario::new(
        "process.user.groups/none-of-the-caller",
        &["config.user.additional-gids-applied"],
        &[Fault::Take("/process/user/additionalGids", "[7777]")],
        |lab, out| {
            setgroups(&[Gid::from_raw(0), Gid::from_raw(7777)])?;
            let container = lab.running(|r| r.set("/process/user", serde_json::json!({ "uid": 1000, "gid": 1000 })))?;
            let evidence = container.evidence(vec![Ask::Ids])?;
            let mut groups = evidence.inside.ids().map(|ids| ids.groups.clone());
            if let Ok(groups) = &mut groups {
                groups.retain(|group| *group != 1000);
            }
            out.expect_eq("supplementary groups besides the primary one", groups, Ok(vec![]));
            container.finish_and_delete()
        },
    ),
];
