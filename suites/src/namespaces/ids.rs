//! `linux.uidMappings` and `linux.gidMappings`: the maps of the user namespace, and their effect on processes and files.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::namespace_holder::FIRST_ID;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::recipe::Edit;
use serde_json::json;

use super::{range, user, usual_user};

const UIDS: &str = "/linux/uidMappings";
const GIDS: &str = "/linux/gidMappings";
const NEEDS: &[Need] = &[Need::HostView, Need::Namespace("user")];

/// The kernel's maps are the configured ones, row by row.
const MAPS: Rule = Rule::by_host(
    "namespaces.user.maps",
    &["linux.uid-mappings.effect", "linux.gid-mappings.effect"],
    |config, evidence, out| {
        out.expect_eq("map of users", sorted(evidence.host().uid_map.clone()), ranges(config, UIDS));
        out.expect_eq("map of groups", sorted(evidence.host().gid_map.clone()), ranges(config, GIDS));
    },
)
.needs(NEEDS);

fn ranges(config: &Config, pointer: &str) -> Vec<[u64; 3]> {
    let member = |entry: &serde_json::Value, name: &str| entry[name].as_u64().unwrap_or_default();
    let row = |entry| ["containerID", "hostID", "size"].map(|name| member(entry, name));
    sorted(config.list(pointer).iter().map(row).collect())
}

fn sorted(mut rows: Vec<[u64; 3]>) -> Vec<[u64; 3]> {
    rows.sort_unstable();
    rows
}

/// The host's number of an id of the container.
fn outside(ranges: &[[u64; 3]], id: u64) -> Option<u64> {
    ranges
        .iter()
        .find(|[inside, _, size]| (*inside..inside + size).contains(&id))
        .map(|[inside, out, _]| id - inside + out)
}

/// Inside, the program has the configured user and groups; outside, those that they map to.
const PROCESS: Rule = Rule::new(
    "namespaces.user.process",
    &["linux.uid-mappings.effect", "linux.gid-mappings.effect", "config.user.uid-applied"],
    |_| vec![Ask::Ids],
    |config, evidence, out| {
        let id = |pointer| config.number(pointer).and_then(|id| u64::try_from(id).ok()).unwrap_or_default();
        let (uid, gid) = (id("/process/user/uid"), id("/process/user/gid"));
        match evidence.inside.get(&Ask::Ids) {
            Ok(Reply::Ids(ids)) => {
                out.expect_eq("users inside", ids.uids.map(u64::from), [uid; 3]);
                out.expect_eq("groups inside", ids.gids.map(u64::from), [gid; 3]);
            }
            other => out.expect("ids inside", false, "an answer", other),
        }
        let (uids, gids) = (ranges(config, UIDS), ranges(config, GIDS));
        let status = &evidence.host().status;
        out.expect_eq("users outside", status.uids.map(|id| Some(id.into())), [outside(&uids, uid); 4]);
        out.expect_eq("groups outside", status.gids.map(|id| Some(id.into())), [outside(&gids, gid); 4]);
        for group in config.list("/process/user/additionalGids").iter().filter_map(serde_json::Value::as_u64) {
            let mapped = outside(&gids, group).and_then(|group| u32::try_from(group).ok());
            let has = mapped.is_some_and(|group| status.groups.contains(&group));
            out.expect("additional groups outside", has, format!("{} among them", mapped.describe()), &status.groups);
        }
    },
)
.needs(NEEDS);

/// Files keep their owner on the host; inside, the maps decide who that is, or it is nobody.
const FILES: Rule = Rule::new(
    "namespaces.user.files",
    &["linux.uid-mappings.effect", "linux.gid-mappings.effect"],
    |_| vec![Ask::Stat(MAPPED.into()), Ask::Stat(UNMAPPED.into())],
    |_, evidence, out| {
        let owner = |path| evidence.inside.stat(path).map(|stat| (stat.uid, stat.gid));
        out.expect_eq("owner of a file that is mapped", owner(MAPPED), Ok((5, 6)));
        out.expect_eq("owner of a file that is not", owner(UNMAPPED), Ok((NOBODY, NOBODY)));
    },
)
.needs(NEEDS);

const MAPPED: &str = "/mapped";
const UNMAPPED: &str = "/unmapped";
const NOBODY: u32 = 65534;

pub(super) const CASES: &[Case] = &[
    Case::new(&MAPS, "one-range", usual_user, &[Fault::Take("/linux/uidMappings/0/size", "65535")]),
    Case::new(
        &MAPS,
        "several-ranges",
        |r| user(r, &[range(0, FIRST_ID, 1000), range(1000, 2 * FIRST_ID, 500), range(40_000, 300_500, 1)]),
        &[Fault::DropLast(UIDS), Fault::DropLast(GIDS), Fault::Take("/linux/gidMappings/1/hostID", "210000")],
    ),
    Case::new(
        &MAPS,
        "many-ranges",
        |r| {
            let ranges: Vec<_> = (0..12).map(|n| range(n * 10, FIRST_ID + n * 100, 10)).collect();
            user(r, &ranges)
        },
        &[Fault::DropLast(UIDS), Fault::DropLast(GIDS)],
    ),
    Case::new(
        &MAPS,
        "users-and-groups-apart",
        |r| usual_user(r).set(GIDS, [range(0, 3 * FIRST_ID, 70_000)]),
        &[Fault::Take("/linux/gidMappings/0/hostID", "100000")],
    ),
    Case::new(
        &MAPS,
        "onto-themselves",
        |r| user(r, &[range(0, 0, 65_536)]),
        &[Fault::Take("/linux/gidMappings/0/size", "1")],
    ),
    Case::new(&PROCESS, "root", usual_user, &[Fault::Take("/linux/uidMappings/0/hostID", "100001")]),
    Case::new(
        &PROCESS,
        "another-user",
        |r| usual_user(r).set("/process/user", json!({ "uid": 1000, "gid": 1001, "additionalGids": [5, 50] })),
        &[
            Fault::Take("/process/user/uid", "0"),
            Fault::Take("/process/user/gid", "0"),
            Fault::DropLast("/process/user/additionalGids"),
        ],
    ),
    Case::new(
        &PROCESS,
        "of-the-second-range",
        |r| {
            user(r, &[range(0, FIRST_ID, 10), range(500, 2 * FIRST_ID, 10)])
                .set("/process/user", json!({ "uid": 507, "gid": 508 }))
        },
        &[Fault::Take("/linux/uidMappings/1/hostID", "200001"), Fault::Take("/linux/gidMappings/1/hostID", "200001")],
    ),
    Case::new(
        &FILES,
        "owners",
        |r| {
            usual_user(r).file(MAPPED, "").file(UNMAPPED, "").edit(Edit::Owner(
                format!("rootfs{MAPPED}"),
                FIRST_ID + 5,
                FIRST_ID + 6,
            ))
        },
        &[Fault::Take("/linux/uidMappings/0/hostID", "100001"), Fault::Take("/linux/gidMappings/0/hostID", "100001")],
    ),
];

pub(super) const SCENARIOS: &[Scenario] = &[OWNERS_KEPT];

const OWNERS_KEPT: Scenario = Scenario::new(
    "namespaces.user.owners-on-the-host-kept",
    &["linux.id-mappings.no-chown"],
    &[Fault::GiveAway],
    |lab, out| {
        let bundle = lab.bundle(|r| {
            usual_user(r).file("/file", "").beside("data/file", "").directory("/data").mount(
                "/data",
                "bind",
                "{bundle}/data",
                &["bind"],
            )
        })?;
        let before = owners(&bundle.dir)?;
        let container = lab.create(&bundle)?;
        container.started()?;
        container.finish_and_delete()?;
        out.expect_eq("owners of the files of the bundle", owners(&bundle.dir)?, before);
        Ok(())
    },
)
.needs(NEEDS);

/// Users and groups of all files in a directory, but for what lies in `/dev` and such: runtimes make nodes there.
fn owners(dir: &Path) -> std::io::Result<Vec<(PathBuf, u32, u32)>> {
    let mut found = Vec::new();
    for path in ["rootfs", "rootfs/probe", "rootfs/file", "rootfs/etc", "rootfs/tmp", "data", "data/file"] {
        let path = dir.join(path);
        let status = std::fs::symlink_metadata(&path)?;
        found.push((path, status.uid(), status.gid()));
    }
    Ok(found)
}
