//! `process.user`: user, group, additional groups.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

/// Real, effective and saved user are the configured one.
const UID: Rule = Rule::new(
    "process.user.uid",
    &["config.user.uid-applied"],
    |_| vec![Ask::Ids],
    |config, evidence, out| {
        let uid = u32::try_from(config.number("/process/user/uid").unwrap_or(0)).unwrap_or(0);
        match evidence.inside.get(&Ask::Ids) {
            Ok(Reply::Ids(ids)) => out.expect_eq("real, effective, saved user", ids.uids, [uid; 3]),
            other => out.expect("user", false, "an answer", other),
        }
    },
);

pub(super) const CASES: &[Case] = &[Case::new(
    &UID,
    "of-another-user",
    |r| r.set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
    &[Fault::Take("/process/user/uid", "0")],
)];
