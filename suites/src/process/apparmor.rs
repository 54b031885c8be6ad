//! `process.apparmorProfile`: the program runs under the profile. The profiles are those of `plimsoll vm`: one denies `/denied`, the other
//! only complains.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Refused};

const PROFILE: &str = "/process/apparmorProfile";
const CONFINED: &str = "plimsoll-confined";
const COMPLAINING: &str = "plimsoll-complaining";

const NEEDS: &[Need] = &[Need::HostView, Need::ApparmorProfile(CONFINED)];
const CITES: &[&str] = &["config.process.apparmor-profile-applied"];

const DROP: Fault = Fault::Drop(PROFILE);
const OTHER: Fault = Fault::Take(PROFILE, r#""plimsoll-complaining""#);

type Edits = fn(&mut Recipe) -> &mut Recipe;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("process.apparmor-profile/enforced", CITES, &[DROP, OTHER], |lab, out| {
        under(lab, out, |r| r.set(PROFILE, CONFINED), "plimsoll-confined (enforce)", false)
    })
    .needs(NEEDS),
    Scenario::new("process.apparmor-profile/despite-no-new-privileges", CITES, &[DROP, OTHER], |lab, out| {
        let edits: Edits = |r| r.set(PROFILE, CONFINED).set("/process/noNewPrivileges", true);
        under(lab, out, edits, "plimsoll-confined (enforce)", false)
    })
    .needs(NEEDS),
    Scenario::new("process.apparmor-profile/as-another-user", CITES, &[DROP, OTHER], |lab, out| {
        let edits: Edits = |r| r.set(PROFILE, CONFINED).set("/process/user/uid", 1000);
        under(lab, out, edits, "plimsoll-confined (enforce)", false)
    })
    .needs(NEEDS),
    Scenario::new(
        "process.apparmor-profile/complaining",
        CITES,
        &[DROP, Fault::Take(PROFILE, r#""plimsoll-confined""#)],
        |lab, out| under(lab, out, |r| r.set(PROFILE, COMPLAINING), "plimsoll-complaining (complain)", true),
    )
    .needs(NEEDS),
    Scenario::new(
        "process.apparmor-profile/unknown-is-refused",
        &["config.process.apparmor-profile-applied", "runtime.create.unappliable-property-error"],
        &[DROP],
        |lab, out| {
            let bundle = lab.bundle(|r| r.set(PROFILE, "plimsoll-nosuch"))?;
            crate::refusal::by_create_or_start(lab, out, &bundle)
        },
    )
    .needs(NEEDS),
];

/// The kernel names this profile for the program, and lets it read `/denied` or not.
fn under(lab: &Lab<'_>, out: &mut Judgement, edits: Edits, named: &str, readable: bool) -> StepResult {
    let container = lab.running(|r| edits(r).file("/denied", "secret").file("/open", "open"))?;
    out.expect_eq("profile, seen from the host", container.observe()?.lsm_label.as_deref(), Some(named));
    let open = container.ask(Ask::Read("/open".into()))?;
    out.expect("reading what no profile denies", open.is_ok(), "allowed", &open);
    let read = container.ask(Ask::Read("/denied".into()))?;
    let denied = read.as_ref().is_err_and(Refused::is_denial);
    let expected = if readable { "allowed" } else { "denied" };
    out.expect("reading what the profile denies", if readable { read.is_ok() } else { denied }, expected, read);
    container.finish_and_delete()
}
