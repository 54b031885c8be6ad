//! `process.user`: user, group, additional groups, umask.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::Octal;
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};
use serde_json::{Value, json};

const USER: &str = "/process/user";
const UMASK: &str = "/process/user/umask";
const ADDITIONAL: &str = "/process/user/additionalGids";

/// Real, effective and saved user are the configured one.
pub(super) const UID: Rule = Rule::new(
    "process.user.uid",
    &["config.user.uid-applied"],
    |_| vec![Ask::Ids],
    |config, evidence, out| {
        let uids = evidence.inside.ids().map(|ids| ids.uids);
        out.expect_eq("real, effective, saved user", uids, Ok([id(config, "uid"); 3]));
    },
);

/// Real, effective and saved group are the configured one.
pub(super) const GID: Rule = Rule::new(
    "process.user.gid",
    &["config.user.gid-applied"],
    |_| vec![Ask::Ids],
    |config, evidence, out| {
        let gids = evidence.inside.ids().map(|ids| ids.gids);
        out.expect_eq("real, effective, saved group", gids, Ok([id(config, "gid"); 3]));
    },
);

/// The supplementary groups are the configured ones; the primary group may be among them.
pub(super) const GROUPS: Rule = Rule::new(
    "process.user.groups",
    &["config.user.additional-gids-applied"],
    |_| vec![Ask::Ids],
    |config, evidence, out| {
        let primary = id(config, "gid");
        let tidy = |mut groups: Vec<u32>| {
            groups.retain(|group| *group != primary);
            groups.sort_unstable();
            groups.dedup();
            groups
        };
        let wanted = config.list(ADDITIONAL).iter().map(number).collect();
        let groups = evidence.inside.ids().map(|ids| tidy(ids.groups.clone()));
        out.expect_eq("supplementary groups", groups, Ok(tidy(wanted)));
    },
);

/// The kernel's four users and groups are the configured ones, through the mappings of a user namespace.
const BY_HOST: Rule = Rule::by_host(
    "process.user.by-host",
    &["config.user.uid-applied", "config.user.gid-applied"],
    |config, evidence, out| {
        let status = &evidence.host().status;
        let (uid, gid) = (id(config, "uid"), id(config, "gid"));
        let uid = on_host(config.list("/linux/uidMappings"), uid);
        let gid = on_host(config.list("/linux/gidMappings"), gid);
        out.expect_eq("real, effective, saved, filesystem user", status.uids.map(u64::from), [uid; 4]);
        out.expect_eq("real, effective, saved, filesystem group", status.gids.map(u64::from), [gid; 4]);
    },
);

/// The program starts with the configured umask.
pub(super) const MASK: Rule = Rule::new(
    "process.user.umask",
    &["config.user.umask-applied"],
    |_| vec![Ask::Umask],
    |config, evidence, out| {
        let found = evidence.inside.count(&Ask::Umask).map(Octal);
        out.expect_eq("umask", found.ok(), config.number(UMASK).map(Octal));
    },
);

fn id(config: &Config, member: &str) -> u32 {
    config.get(&format!("{USER}/{member}")).map_or(0, number)
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or_else(|| panic!("{value} is no id"))
}

fn on_host(mappings: &[Value], id: u32) -> u64 {
    let part = |mapping: &Value, name: &str| mapping[name].as_u64().unwrap_or(0);
    let id = u64::from(id);
    let range =
        mappings.iter().find(|m| (part(m, "containerID")..part(m, "containerID") + part(m, "size")).contains(&id));
    range.map_or(id, |m| id - part(m, "containerID") + part(m, "hostID"))
}

fn user(recipe: &mut Recipe, uid: u32, gid: u32) -> &mut Recipe {
    recipe.set(USER, json!({ "uid": uid, "gid": gid }))
}

fn groups<'r>(recipe: &'r mut Recipe, groups: &[u32]) -> &'r mut Recipe {
    user(recipe, 1000, 1000).set(ADDITIONAL, groups)
}

/// The largest id: the next is -1, which means "no change" to the kernel.
const LARGEST: u32 = u32::MAX - 1;

const STAYS_ROOT: &[Fault] = &[Fault::Take("/process/user/uid", "0"), Fault::Drop(USER)];
const KEEPS_GROUP: &[Fault] = &[Fault::Take("/process/user/gid", "0"), Fault::Drop(USER)];
const KEEPS_EITHER: &[Fault] = &[Fault::Take("/process/user/uid", "0"), Fault::Take("/process/user/gid", "0")];
const DROPS: &[Fault] = &[Fault::Drop(ADDITIONAL), Fault::DropLast(ADDITIONAL)];
const ADDS: &[Fault] = &[Fault::Take(ADDITIONAL, "[777]")];
const STANDARD: &[Fault] = &[Fault::Take(UMASK, "18"), Fault::Drop(UMASK)];
const DATABASE: &str = "root:x:0:0::/:/bin/sh\nsomeone:x:1000:555::/:/bin/sh\n";

pub(super) const CASES: &[Case] = &[
    Case::new(&UID, "root", |r| user(r, 0, 0), &[Fault::Take("/process/user/uid", "1000")]),
    Case::new(&UID, "of-another-user", |r| user(r, 1000, 1000), STAYS_ROOT),
    Case::new(&UID, "above-16-bits", |r| user(r, 65536, 0), STAYS_ROOT),
    Case::new(&UID, "above-31-bits", |r| user(r, 1 << 31, 0), STAYS_ROOT),
    Case::new(&UID, "largest", |r| user(r, LARGEST, 0), STAYS_ROOT),
    Case::new(&UID, "not-by-the-database", |r| user(r, 1000, 0).file("/etc/passwd", DATABASE), STAYS_ROOT),
    Case::new(&GID, "of-another-group", |r| user(r, 1000, 1001), KEEPS_GROUP),
    Case::new(&GID, "root-in-another-group", |r| user(r, 0, 1001), KEEPS_GROUP),
    Case::new(&GID, "user-in-group-of-root", |r| user(r, 1000, 0), &[Fault::Take("/process/user/gid", "1000")]),
    Case::new(&GID, "above-31-bits", |r| user(r, 0, 1 << 31), KEEPS_GROUP),
    Case::new(&GID, "largest", |r| user(r, 0, LARGEST), KEEPS_GROUP),
    Case::new(
        &GID,
        "not-by-the-database",
        |r| user(r, 1000, 1001).file("/etc/passwd", DATABASE),
        &[Fault::Take("/process/user/gid", "555")],
    ),
    Case::new(&GROUPS, "none", |r| user(r, 1000, 1000), ADDS),
    Case::new(&GROUPS, "none-for-root", |r| r, ADDS),
    Case::new(&GROUPS, "empty-list", |r| groups(r, &[]), ADDS),
    Case::new(&GROUPS, "one", |r| groups(r, &[5000]), DROPS),
    Case::new(&GROUPS, "several", |r| groups(r, &[7000, 20, 5000, 1]), DROPS),
    Case::new(&GROUPS, "for-root", |r| r.set(ADDITIONAL, [10, 20]), DROPS),
    Case::new(&GROUPS, "group-of-root", |r| groups(r, &[0]), DROPS),
    Case::new(&GROUPS, "largest", |r| groups(r, &[65536, 1 << 31, LARGEST]), DROPS),
    Case::new(&GROUPS, "a-hundred", |r| groups(r, &Vec::from_iter(3000..3100)), DROPS),
    Case::new(
        &GROUPS,
        "not-by-the-database",
        |r| groups(r, &[5000]).file("/etc/passwd", DATABASE).file("/etc/group", "staff:x:777:someone\n"),
        &[Fault::Take(ADDITIONAL, "[777, 5000]")],
    ),
    Case::new(&BY_HOST, "root", |r| user(r, 0, 0), &[Fault::Take("/process/user/uid", "1000")]),
    Case::new(&BY_HOST, "of-another-user", |r| user(r, 1000, 1001), KEEPS_EITHER),
    Case::new(&BY_HOST, "largest", |r| user(r, LARGEST, LARGEST), KEEPS_EITHER),
    Case::new(&MASK, "strict", |r| r.set(UMASK, 0o077), STANDARD),
    Case::new(&MASK, "none", |r| r.set(UMASK, 0), STANDARD),
    Case::new(&MASK, "standard", |r| r.set(UMASK, 0o022), &[Fault::Take(UMASK, "0")]),
    Case::new(&MASK, "everything", |r| r.set(UMASK, 0o777), STANDARD),
    Case::new(&MASK, "of-another-user", |r| user(r, 1000, 1000).set(UMASK, 0o027), STANDARD),
];
