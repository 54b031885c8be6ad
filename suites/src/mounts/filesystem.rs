//! Kernel filesystems: type, source, data and mode (`config.md#mounts`).

use std::os::unix::fs::PermissionsExt;

use libc::{OVERLAYFS_SUPER_MAGIC, PROC_SUPER_MAGIC, TMPFS_MAGIC};
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::{Describe, Octal};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::{Config, Edit, Recipe};
use plimsoll_reports::model::Axis;

use super::entry::{Entry, entries};

/// Each entry that is no bind mount is a mount of its type, with its source where the filesystem keeps it.
const TYPE: Rule = Rule::by_host(
    "mounts.type",
    &["config.mounts.type-kernel-filesystem", "config.mounts.parameters-per-mount2"],
    |config, evidence, out| {
        // What shows a version 1 is a tree of filesystems, which has a rule of its own.
        let plain = |entry: &&Entry<'_>| !entry.is_bind() && !entry.has("remount") && entry.kind != "cgroup";
        for entry in entries(config).iter().filter(plain) {
            let found = evidence.host().mount_at(&entry.destination);
            let kind = found.map(|mount| mount.kind.as_str());
            out.expect_eq(&format!("type of {}", entry.destination), kind, Some(entry.kind));
            let source = found.map(|mount| mount.source.as_str());
            if !entry.source.is_empty() {
                out.expect_eq(&format!("source of {}", entry.destination), source, Some(entry.source));
            }
        }
    },
);

/// What a program inside finds of the type.
const MAGIC: Rule = Rule::new(
    "mounts.type-inside",
    &["config.mounts.type-kernel-filesystem"],
    |config| entries(config).into_iter().map(|entry| Ask::Statfs(entry.destination)).collect(),
    |config, evidence, out| {
        for entry in entries(config) {
            let Some(magic) = magic(entry.kind) else { continue };
            let found = evidence.inside.get(&Ask::Statfs(entry.destination.clone()));
            let met = matches!(found, Ok(Reply::Statfs(found)) if found.magic == magic);
            out.expect(&entry.destination, met, format!("a filesystem with magic number {magic:#x}"), found);
        }
    },
);

/// Magic number of a type, of which there is but one.
pub(super) fn magic(kind: &str) -> Option<i64> {
    Some(match kind {
        "tmpfs" => TMPFS_MAGIC,
        "proc" => PROC_SUPER_MAGIC,
        "sysfs" => 0x6265_6572,
        "devpts" => libc::DEVPTS_SUPER_MAGIC,
        "mqueue" => 0x1980_0202,
        "overlay" => OVERLAYFS_SUPER_MAGIC,
        _ => return None,
    })
}

const OVERLAY: &[Need] = &[Need::HostView, Need::Filesystem("overlay")];
const OTHER_TYPE: &[Fault] = &[Fault::Take("/mounts/6/type", "\"ramfs\""), Fault::Drop("/mounts/6")];

pub(super) const TYPES: &[Case] = &[
    Case::new(&TYPE, "base", |r| r, &[Fault::Drop("/mounts/4"), Fault::Take("/mounts/0/source", "\"other\"")]),
    Case::new(&TYPE, "tmpfs", |r| r.mount("/m", "tmpfs", "of-its-own", &[]), OTHER_TYPE),
    Case::new(&TYPE, "ramfs", |r| r.mount("/m", "ramfs", "of-its-own", &[]), &[Fault::Drop("/mounts/6")])
        .needs(&[Need::HostView, Need::Filesystem("ramfs")]),
    Case::new(
        &TYPE,
        "overlay",
        |r| {
            r.beside("low/file", "below").directory_beside("up").directory_beside("work").mount(
                "/m",
                "overlay",
                "overlay",
                &["lowerdir={bundle}/low", "upperdir={bundle}/up", "workdir={bundle}/work"],
            )
        },
        &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/type", "\"tmpfs\"")],
    )
    .needs(OVERLAY),
    Case::new(&MAGIC, "base", |r| r, &[Fault::Drop("/mounts/4")]),
    Case::new(
        &MAGIC,
        "tmpfs",
        |r| r.mount("/sys/fs", "tmpfs", "tmpfs", &[]).remove("/mounts/5/options/3"),
        &[Fault::Drop("/mounts/6")],
    ),
];

/// Options that only the filesystem knows reach it: a tmpfs shows each of them. How they get there is advice; that what was
/// accepted is applied is not.
const DATA: Rule = Rule::by_host(
    "mounts.data",
    &[
        "config.mounts.options.unknown-as-fs-data",
        "config.mounts.options.unknown-comma-separated",
        "runtime.create.all-properties-applied",
    ],
    |config, evidence, out| {
        for entry in entries(config).iter().filter(|entry| entry.kind == "tmpfs") {
            let Some(mount) = evidence.host().mount_at(&entry.destination) else {
                out.expect(&entry.destination, false, "a mount", "none");
                continue;
            };
            for option in entry.options.iter().filter(|option| option.contains('=')) {
                let what = format!("{option} at {}", entry.destination);
                let shown = is_shown(option, &mount.super_options);
                out.expect(&what, shown, *option, &mount.super_options);
            }
        }
    },
);

/// Whether a tmpfs shows an option. A mode may be written with leading zeros, and is not shown when it is the default.
fn is_shown(option: &str, shown: &[String]) -> bool {
    let mode = |option: &str| option.strip_prefix("mode=").map(|mode| mode.trim_start_matches('0').to_owned());
    match mode(option) {
        None => shown.iter().any(|shown| shown == option),
        Some(asked) => shown.iter().find_map(|shown| mode(shown)).unwrap_or_else(|| "1777".to_owned()) == asked,
    }
}

/// What a program inside finds of `mode=`, `uid=`, `gid=` and `size=` of a tmpfs.
const DATA_INSIDE: Rule = Rule::new(
    "mounts.data-inside",
    &["config.mounts.options.unknown-as-fs-data", "runtime.create.all-properties-applied"],
    |config| {
        sized(config).flat_map(|entry| [Ask::Stat(entry.destination.clone()), Ask::Statfs(entry.destination)]).collect()
    },
    judge_inside,
);

fn sized(config: &Config) -> impl Iterator<Item = Entry<'_>> {
    entries(config).into_iter().filter(|entry| entry.kind == "tmpfs" && entry.destination == "/m")
}

fn judge_inside(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for entry in sized(config) {
        let stat = evidence.inside.stat(&entry.destination);
        let mut expect = |name: &str, radix: u32, found: Option<u64>| {
            if let Some(asked) = entry.value(name) {
                let number = u64::from_str_radix(asked.trim_end_matches('k'), radix).ok();
                let shown =
                    |number: Option<u64>| if radix == 8 { number.map(Octal).describe() } else { number.describe() };
                out.expect(&format!("{name} of {}", entry.destination), found == number, shown(number), shown(found));
            }
        };
        expect("mode", 8, stat.ok().map(|stat| stat.mode.into()));
        expect("uid", 10, stat.ok().map(|stat| stat.uid.into()));
        expect("gid", 10, stat.ok().map(|stat| stat.gid.into()));
        let size = match evidence.inside.get(&Ask::Statfs(entry.destination.clone())) {
            Ok(Reply::Statfs(found)) => Some(found.size / 1024),
            _ => None,
        };
        expect("size", 10, size);
    }
}

const FIRST: &[Fault] = &[Fault::Drop("/mounts/6/options/0")];
const LAST: &[Fault] = &[Fault::DropLast("/mounts/6/options"), Fault::Drop("/mounts/6/options")];

pub(super) const OPTIONS: &[Case] = &[
    Case::new(&DATA, "size", |r| r.mount("/m", "tmpfs", "tmpfs", &["size=64k"]), FIRST),
    Case::new(&DATA, "mode", |r| r.mount("/m", "tmpfs", "tmpfs", &["mode=711"]), FIRST),
    Case::new(&DATA, "uid-and-gid", |r| r.mount("/m", "tmpfs", "tmpfs", &["uid=12", "gid=34"]), LAST),
    Case::new(&DATA, "nr-inodes", |r| r.mount("/m", "tmpfs", "tmpfs", &["nr_inodes=77"]), FIRST),
    Case::new(
        &DATA,
        "several-between-flags",
        |r| r.mount("/m", "tmpfs", "tmpfs", &["nosuid", "size=64k", "noexec", "mode=711", "nodev", "nr_inodes=77"]),
        LAST,
    ),
    Case::new(&DATA_INSIDE, "size", |r| r.mount("/m", "tmpfs", "tmpfs", &["size=64k"]), FIRST),
    Case::new(&DATA_INSIDE, "mode", |r| r.mount("/m", "tmpfs", "tmpfs", &["mode=711"]), FIRST),
    Case::new(&DATA_INSIDE, "mode-with-sticky-bit", |r| r.mount("/m", "tmpfs", "tmpfs", &["mode=1770"]), FIRST),
    Case::new(
        &DATA_INSIDE,
        "mode-over-directory",
        |r| r.directory("/m").mount("/m", "tmpfs", "tmpfs", &["mode=0700"]),
        FIRST,
    ),
    Case::new(&DATA_INSIDE, "uid-and-gid", |r| r.mount("/m", "tmpfs", "tmpfs", &["uid=12", "gid=34"]), LAST),
];

/// A tmpfs without `mode=` has the mode of the directory that it hides: what was private does not become open to all.
const MODE_BELOW: Rule = Rule::new(
    "mounts.tmpfs-mode",
    &["config.mounts.parameters-per-mount2"],
    |config| sized(config).map(|entry| Ask::Stat(entry.destination)).collect(),
    |config, evidence, out| {
        for entry in sized(config).filter(|entry| entry.value("mode").is_none()) {
            let below = std::fs::metadata(format!("{}{}", evidence.bundle.rootfs().display(), entry.destination));
            let mode = evidence.inside.stat(&entry.destination).map(|stat| Octal(stat.mode)).ok();
            let wanted = below.ok().map(|below| Octal(below.permissions().mode() & 0o7777));
            out.expect_eq(&format!("mode of {}", entry.destination), mode, wanted);
        }
    },
)
.axis(Axis::Compat)
.advisory("the specification leaves the mode to the file system");

fn over(recipe: &mut Recipe, mode: u32) -> &mut Recipe {
    recipe.edit(Edit::Directory("rootfs/m".to_owned(), mode)).mount("/m", "tmpfs", "tmpfs", &["size=64k"])
}

pub(super) const MODES: &[Case] = &[
    Case::new(&MODE_BELOW, "private", |r| over(r, 0o710), &[Fault::Push("/mounts/6/options", "\"mode=1777\"")]),
    Case::new(&MODE_BELOW, "open-to-all", |r| over(r, 0o1777), &[Fault::Push("/mounts/6/options", "\"mode=755\"")]),
];
