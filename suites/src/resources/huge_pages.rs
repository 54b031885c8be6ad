//! What limits of huge pages do. A page beyond the limit is refused in one of two ways: the mapping is an error where the
//! kernel counts reservations, and the first touch is a signal where it counts use.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::{Need, free_huge_pages};
use plimsoll_fixtures::probe::{Answer, Ask, Reply};

use super::others::{HUGE, HUGE_AT, HUGE_LIMIT_AT, HUGE_PAGE, limit};

/// More than both scenarios want at once.
const ENOUGH: u64 = 4;
const NEEDS: &[Need] = &[Need::Knob(HUGE), Need::HugePages(ENOUGH)];
const CITES: &[&str] = &["linux.resources.hugepage.limit-effect"];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "resources.hugepage.effect/no-page-beyond-the-limit",
        CITES,
        &[Fault::Drop(HUGE_AT), Fault::Value(HUGE_LIMIT_AT, ValueFault::Double), Fault::MoveOut, Fault::Beside],
        |lab, out| limited(lab, out, 1),
    )
    .needs(NEEDS),
    Scenario::new(
        "resources.hugepage.effect/no-page-at-all",
        CITES,
        &[Fault::Drop(HUGE_AT), Fault::Take(HUGE_AT, r#"[{"pageSize":"2MB","limit":2097152}]"#)],
        |lab, out| limited(lab, out, 0),
    )
    .needs(NEEDS),
];

fn limited(lab: &Lab<'_>, out: &mut Judgement, pages: u32) -> StepResult {
    let container = lab.running(|r| r.set(HUGE_AT, limit(u64::from(pages) * HUGE_PAGE)))?;
    let within = container.ask(Ask::HugePages(pages.max(1)))?;
    let beyond = container.ask(Ask::HugePages(pages + 1))?;
    if pages > 0 && within != Ok(Reply::Count(0)) && free_huge_pages() < ENOUGH {
        return Err(Stop::Skip("other programs use the huge pages: reserve more".into()));
    }
    out.expect("a huge page within the limit", (pages > 0) != refused(&within), "had, where there is one", &within);
    out.expect("a huge page beyond it", refused(&beyond), "ENOMEM, or SIGBUS", &beyond);
    container.finish_and_delete()
}

fn refused(answer: &Answer) -> bool {
    let ends = [i64::from(libc::ENOMEM), 128 + i64::from(libc::SIGBUS)];
    matches!(answer, Ok(Reply::Count(end)) if ends.contains(end))
}
