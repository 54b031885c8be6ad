//! A made-up proof with every kind of outcome and every member of the model in use.

use plimsoll_reports::model::Verdict;
use plimsoll_reports::model::proof::{
    Difference, Explanation, KIND, Mutant, Neutral, Outcome, Pair, Proof, SCHEMA, Totals, Unsound,
};

use super::report;

pub fn proof() -> Proof {
    let report = report();
    let proof = Proof {
        schema: SCHEMA.to_owned(),
        kind: KIND.to_owned(),
        plimsoll: report.plimsoll,
        run: report.run,
        runtime: report.runtime,
        host: report.host,
        started_at: report.started_at,
        duration_ms: 93_250,
        cut_short: None,
        mutants: mutants(),
        pairs: pairs(),
        unsound: vec![Unsound {
            check: "hooks.poststart/program-is-executed".to_owned(),
            verdict: Verdict::Fail,
            reason: String::new(),
        }],
        vacuous: vec!["process.env/many".to_owned()],
        explanations: vec![Explanation {
            mutant: "config.double:/process/oomScoreAdj".to_owned(),
            reason: "0 doubled is 0".to_owned(),
        }],
        fairness: vec![neutral("forwards", "only passes each call on"), differing()],
        totals: Totals::default(),
    };
    Proof { totals: proof.counted(), ..proof }
}

fn mutants() -> Vec<Mutant> {
    let mutant = |id: &str, group: &str, description: &str, applies_to: &str| Mutant {
        id: id.to_owned(),
        group: group.to_owned(),
        description: description.to_owned(),
        applies_to: applies_to.to_owned(),
    };
    vec![
        mutant("config.double:/process/oomScoreAdj", "config.double", "doubles /process/oomScoreAdj", "a number there"),
        mutant("config.drop:/linux/maskedPaths", "config.drop", "drops /linux/maskedPaths", "masked paths"),
        mutant("config.drop:/linux/timeOffsets", "config.drop", "drops /linux/timeOffsets", "a time namespace"),
        mutant("config.drop:/process/env", "config.drop", "drops /process/env", "an environment"),
        mutant("kill:none", "kill", "sends no signal", "kill"),
        mutant("kill:other", "kill", "sends SIGTERM whatever it is asked to send", "kill"),
    ]
}

fn pairs() -> Vec<Pair> {
    let pair = |mutant: &str, check: &str, outcome, verdict, by: &[&str], reason: &str| Pair {
        check: check.to_owned(),
        mutant: mutant.to_owned(),
        outcome,
        verdict,
        by: by.iter().map(|&id| id.to_owned()).collect(),
        reason: reason.to_owned(),
    };
    let (masks, file) = ("config.drop:/linux/maskedPaths", "linux.masked-paths/file");
    vec![
        pair("config.double:/process/oomScoreAdj", "process.oom/zero", Outcome::Survived, Some(Verdict::Pass), &[], ""),
        pair(masks, "linux.masked-paths/directory", Outcome::KilledByOther, Some(Verdict::Pass), &[file], ""),
        pair(masks, file, Outcome::Killed, Some(Verdict::Fail), &[file], ""),
        pair(
            "config.drop:/linux/timeOffsets",
            "namespaces.time/offsets",
            Outcome::NotApplicable,
            None,
            &[],
            "the runtime does not know time namespaces",
        ),
        pair("config.drop:/process/env", "process.env/many", Outcome::Survived, Some(Verdict::Pass), &[], ""),
        pair(
            "kill:none",
            "lifecycle.kill/term",
            Outcome::Error,
            Some(Verdict::Error),
            &[],
            "make the rootfs: No space left on device (os error 28)",
        ),
        pair(
            "kill:other",
            "lifecycle.kill/term",
            Outcome::Killed,
            Some(Verdict::Timeout),
            &["lifecycle.kill/term"],
            "",
        ),
    ]
}

fn neutral(id: &str, description: &str) -> Neutral {
    Neutral { id: id.to_owned(), description: description.to_owned(), compared: 240, differences: vec![] }
}

fn differing() -> Neutral {
    let difference = Difference {
        check: "config.unknown/top".to_owned(),
        alone: Verdict::Pass,
        behind: Verdict::Fail,
        reason: "the order of members is taken for their meaning".to_owned(),
    };
    Neutral { differences: vec![difference], ..neutral("members-reordered", "reads the members in another order") }
}
