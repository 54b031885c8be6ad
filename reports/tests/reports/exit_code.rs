//! The tally and the exit code that follows from it.

use plimsoll_reports::model::Verdict::{self, Error, Fail, Pass, Skip, Timeout, Warn};
use plimsoll_reports::model::{Known, Report};

use crate::sample::{report, with_verdicts};

#[test]
fn the_exit_code_follows_from_the_worst_verdict() {
    let rows: [(&[Verdict], u8); 9] = [
        (&[Pass, Warn, Skip], 0),
        (&[Warn], 0),
        (&[Pass, Fail], 1),
        (&[Pass, Timeout], 1),
        (&[Fail, Error], 1),
        (&[Pass, Error], 2),
        (&[Skip, Error], 2),
        (&[Skip, Skip], 3),
        (&[], 3),
    ];
    for (verdicts, expected) in rows {
        assert_eq!(with_verdicts(verdicts).exit_code(), expected, "{verdicts:?}");
    }
}

#[test]
fn a_run_that_was_cut_short_is_never_a_success() {
    let rows: [(&[Verdict], u8); 4] = [(&[Pass], 2), (&[], 2), (&[Fail], 1), (&[Error], 2)];
    for (verdicts, expected) in rows {
        let report = Report { cut_short: Some("interrupted".to_owned()), ..with_verdicts(verdicts) };
        assert_eq!(report.exit_code(), expected, "{verdicts:?}");
    }
}

#[test]
fn the_tally_counts_every_check_once() {
    let tally = report().tally();
    assert_eq!(tally.total(), report().checks.len());
    assert_eq!((tally.pass, tally.fail, tally.warn, tally.skip, tally.error, tally.timeout), (3, 2, 1, 3, 1, 1));
    assert_eq!(tally.ran(), 8);
}

/// A check with this verdict of which that one is expected.
fn expecting(verdict: Verdict, expected: Verdict) -> u8 {
    let mut report = with_verdicts(&[verdict, Verdict::Pass]);
    report.checks[0].known = Some(Known { verdict: expected, reason: "known".to_owned(), link: String::new() });
    report.exit_code()
}

#[test]
fn a_deviation_is_red_unless_it_is_the_expected_one() {
    assert_eq!(expecting(Verdict::Fail, Verdict::Fail), 0);
    assert_eq!(expecting(Verdict::Pass, Verdict::Fail), 1);
    assert_eq!(expecting(Verdict::Timeout, Verdict::Fail), 1);
    assert_eq!(expecting(Verdict::Skip, Verdict::Fail), 0);
}
