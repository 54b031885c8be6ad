//! Random values of `process`.

use std::collections::BTreeMap;

use plimsoll_engine::observer::limits;
use plimsoll_fixtures::Edit;
use plimsoll_foreign::read;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::{edits, file_name, text};

/// The largest id: the next is -1, which means "no change" to the kernel.
const LARGEST_ID: u32 = u32::MAX - 1;

pub(super) fn args() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec(text(), 0..6)
        .prop_map(|args| edits(|r| r.set("/process/args", [vec!["/probe".to_owned()], args].concat())))
        .boxed()
}

/// Names are unique: of a name that is there twice, either value may hold.
pub(super) fn env() -> BoxedStrategy<Vec<Edit>> {
    let name = "[A-Za-z_][A-Za-z0-9_]{0,8}";
    prop::collection::btree_map(name, text(), 0..6)
        .prop_map(|all: BTreeMap<String, String>| {
            let own = all.into_iter().filter(|(name, _)| name != "PATH" && name != "HOME");
            let own = own.map(|(name, value)| format!("{name}={value}"));
            edits(|r| r.set("/process/env", ["PATH=/bin".to_owned()].into_iter().chain(own).collect::<Vec<_>>()))
        })
        .boxed()
}

pub(super) fn cwd() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec(file_name(), 1..4)
        .prop_map(|names| {
            let path = format!("/cwd/{}", names.join("/"));
            edits(|r| r.directory(&path).set("/process/cwd", &path))
        })
        .boxed()
}

pub(super) fn user() -> BoxedStrategy<Vec<Edit>> {
    let id = || prop_oneof![0..2000_u32, 0..=LARGEST_ID];
    (id(), id(), prop::collection::vec(id(), 0..5))
        .prop_map(|(uid, gid, groups)| {
            let user = json!({ "uid": uid, "gid": gid });
            edits(|r| {
                r.set("/process/user/uid", &user["uid"]).set("/process/user/gid", &user["gid"]);
                if groups.is_empty() { r } else { r.set("/process/user/additionalGids", &groups) }
            })
        })
        .boxed()
}

pub(super) fn umask() -> BoxedStrategy<Vec<Edit>> {
    (0..=0o777_u32).prop_map(|mask| edits(|r| r.set("/process/user/umask", mask))).boxed()
}

/// Only limits that the harness itself has none of, so that it may give any, and so high that nothing is kept from
/// running.
pub(super) fn rlimits() -> BoxedStrategy<Vec<Edit>> {
    const LEAST: [(&str, u64); 6] = [
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", 1000),
        ("RLIMIT_DATA", 1 << 34),
        ("RLIMIT_FSIZE", 1 << 30),
        ("RLIMIT_LOCKS", 100),
        ("RLIMIT_RTTIME", 1_000_000),
    ];
    let own = read::kernel("/proc/self/limits").ok().and_then(|text| limits::parse(&text).ok());
    let is_free = |kind: &str| own.as_ref().and_then(|own| own.get(kind)).is_some_and(|limit| limit.hard == u64::MAX);
    let free: Vec<(&str, u64)> = LEAST.into_iter().filter(|(kind, _)| is_free(kind)).collect();
    let most = free.len();
    let kinds = subsequence(free, most.min(1)..=most);
    (kinds, 0..1_000_000_u64, 0..1_000_000_u64)
        .prop_map(|(kinds, soft, more)| {
            let limit = |&(kind, least): &(&str, u64)| {
                json!({ "type": kind, "soft": least + soft, "hard": least + soft + more })
            };
            edits(|r| r.set("/process/rlimits", kinds.iter().map(limit).collect::<Vec<Value>>()))
        })
        .boxed()
}

/// Capabilities that the base grants: the harness has those.
const GRANTED: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// Sets within sets, as the kernel wants them: what is effective or inheritable is permitted, what is permitted is in
/// the bounding set, what is ambient is inheritable.
pub(super) fn capabilities() -> BoxedStrategy<Vec<Edit>> {
    let all = || (0..GRANTED.len()).map(|_| any::<u8>()).collect::<Vec<_>>();
    all()
        .prop_map(|levels| {
            let set = |least: u8, mask: u8| -> Vec<&str> {
                let taken =
                    levels.iter().zip(GRANTED).filter(|(level, _)| **level % 8 >= least && **level & mask == mask);
                taken.map(|(_, name)| name).collect()
            };
            let sets = json!({
                "bounding": set(1, 0), "permitted": set(2, 0), "effective": set(2, 8), "inheritable": set(4, 0),
                "ambient": set(6, 0),
            });
            edits(|r| r.set("/process/capabilities", sets))
        })
        .boxed()
}

pub(super) fn no_new_privileges() -> BoxedStrategy<Vec<Edit>> {
    any::<bool>().prop_map(|set| edits(|r| r.set("/process/noNewPrivileges", set))).boxed()
}

/// Not below what the harness has, for which it would need a capability.
pub(super) fn oom_score_adj() -> BoxedStrategy<Vec<Edit>> {
    let own = read::kernel("/proc/self/oom_score_adj").ok().and_then(|text| text.trim().parse().ok());
    (own.unwrap_or(0_i32)..=1000).prop_map(|score| edits(|r| r.set("/process/oomScoreAdj", score))).boxed()
}
