//! Options of a single mount, by the kernel's list of the container's mounts (`config.md#linux-mount-options`).

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Mount;
use plimsoll_fixtures::{Config, Recipe};

use super::entry::{Entry, entries};
use super::options::{Word, is_in_force, word};

/// The rule of one word: each mount that has it in force is as the word says.
macro_rules! shown {
    ($word:literal) => {
        &Rule::by_host(
            concat!("mounts.option.", $word),
            &[concat!("config.mounts.option.", $word)],
            |config, evidence, out| judge(word($word), config, evidence, out),
        )
    };
}
pub(super) use shown;

/// Judges one word on all mounts.
pub(super) fn judge(word: &Word, config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for entry in entries(config).iter().filter(|entry| is_in_force(word, entry)) {
        let mounts = covered(word, entry, config, evidence);
        if mounts.is_empty() {
            out.expect(&entry.destination, false, "a mount", "none");
        }
        mounts.into_iter().for_each(|mount| judge_mount(word, mount, out));
    }
}

/// The mounts that a word is about: that of the entry, and with a recursive word those which came with it. The control groups
/// of version 1 are a tree of mounts, which lie on something that the runtime chooses: there it is about those.
fn covered<'e>(word: &Word, entry: &Entry<'_>, config: &Config, evidence: &'e Evidence) -> Vec<&'e Mount> {
    let below = format!("{}/", entry.destination);
    let own = |mount: &Mount| entries(config).iter().any(|other| other.destination == mount.point);
    let came = |mount: &&Mount| mount.point.starts_with(&below) && !own(mount);
    let top = evidence.host().mount_at(&entry.destination);
    let all = evidence.host().mounts.iter();
    match top {
        Some(top) if entry.kind == "cgroup" => {
            [top].into_iter().chain(all.filter(came)).filter(|mount| mount.kind.starts_with("cgroup")).collect()
        }
        Some(top) if word.is_recursive() => [top].into_iter().chain(all.filter(came)).collect(),
        top => top.into_iter().collect(),
    }
}

fn judge_mount(word: &Word, mount: &Mount, out: &mut Judgement) {
    let observed = || format!("{} of {}", mount.options.join(","), mount.super_options.join(","));
    for shown in word.shows {
        out.expect(&format!("{} at {}", word.name, mount.point), mount.has_option(shown), *shown, observed());
    }
    for hidden in word.hides {
        // A read-only filesystem and a read-only mount are two things, and a mount has only the latter in its hands.
        let is_there = mount.options.iter().chain(fs_options(mount, hidden)).any(|option| option == hidden);
        out.expect(&format!("{} at {}", word.name, mount.point), !is_there, format!("no {hidden}"), observed());
    }
    if word.shows.is_empty() && word.hides.is_empty() {
        let kept = mount.has_option(word.name);
        out.expect(&format!("{} at {}", word.name, mount.point), !kept, "the word is no data", observed());
    }
}

fn fs_options<'m>(mount: &'m Mount, option: &str) -> &'m [String] {
    if option == "ro" { &[] } else { &mount.super_options }
}

const FIRST: Fault = Fault::Drop("/mounts/6/options/0");
const SECOND: Fault = Fault::Drop("/mounts/6/options/1");
/// A runtime that does not know the word, and gives it to the filesystem.
const AS_DATA: &[Fault] = &[Fault::Take("/mounts/6/options/0", "\"plimsoll-knows-no-such-option\"")];
const TAKEN_FOR_STRICT: &[Fault] = &[Fault::Take("/mounts/6/options/0", "\"strictatime\"")];
const ANY_BIND: &[Fault] = &[SECOND, Fault::Drop("/mounts/6")];

fn tmpfs<'r>(recipe: &'r mut Recipe, options: &[&str]) -> &'r mut Recipe {
    recipe.mount("/m", "tmpfs", "tmpfs", options)
}

/// A bind mount of a directory that the host has mounted with `host`.
fn bind<'r>(recipe: &'r mut Recipe, host: &[&str], options: &[&str]) -> &'r mut Recipe {
    recipe.tmpfs_beside("tree", host).mount("/m", "bind", "{bundle}/tree", options)
}

/// Each word that sets something, on a new filesystem.
pub(super) const SETTING: &[Case] = &[
    Case::new(shown!("ro"), "tmpfs", |r| tmpfs(r, &["ro"]), &[FIRST]),
    Case::new(shown!("nosuid"), "tmpfs", |r| tmpfs(r, &["nosuid"]), &[FIRST]),
    Case::new(shown!("nodev"), "tmpfs", |r| tmpfs(r, &["nodev"]), &[FIRST]),
    Case::new(shown!("noexec"), "tmpfs", |r| tmpfs(r, &["noexec"]), &[FIRST]),
    Case::new(shown!("nosymfollow"), "tmpfs", |r| tmpfs(r, &["nosymfollow"]), &[FIRST]).needs(NOSYMFOLLOW),
    Case::new(shown!("nodiratime"), "tmpfs", |r| tmpfs(r, &["nodiratime"]), &[FIRST]),
    Case::new(shown!("noatime"), "tmpfs", |r| tmpfs(r, &["noatime"]), &[FIRST]),
    Case::new(shown!("relatime"), "tmpfs", |r| tmpfs(r, &["relatime"]), TAKEN_FOR_STRICT),
    Case::new(shown!("strictatime"), "tmpfs", |r| tmpfs(r, &["strictatime"]), &[FIRST]),
    Case::new(shown!("sync"), "tmpfs", |r| tmpfs(r, &["sync"]), &[FIRST]),
    Case::new(shown!("dirsync"), "tmpfs", |r| tmpfs(r, &["dirsync"]), &[FIRST]),
    Case::new(shown!("lazytime"), "tmpfs", |r| tmpfs(r, &["lazytime"]), &[FIRST]),
    Case::new(shown!("iversion"), "tmpfs", |r| tmpfs(r, &["iversion"]), AS_DATA),
    Case::new(shown!("noiversion"), "tmpfs", |r| tmpfs(r, &["noiversion"]), AS_DATA),
    Case::new(shown!("silent"), "tmpfs", |r| tmpfs(r, &["silent"]), AS_DATA),
    Case::new(shown!("loud"), "tmpfs", |r| tmpfs(r, &["loud"]), AS_DATA),
    Case::new(shown!("defaults"), "tmpfs", |r| tmpfs(r, &["defaults"]), AS_DATA),
];

const NOSYMFOLLOW: &[Need] = &[Need::HostView, Need::Kernel(5, 10)];

/// In a cgroup namespace of its own, for a mount of version 2 from that of the host may change the options of the host.
fn cgroup<'r>(recipe: &'r mut Recipe, word: &str) -> &'r mut Recipe {
    recipe.new_namespace("cgroup").mount("/sys/fs/cgroup", "cgroup", "cgroup", &[word])
}

const OWN_CGROUPS: &[Need] = &[Need::HostView, Need::Filesystem("cgroup"), Need::Namespace("cgroup")];

/// Some runtimes set all of these options on each cgroup mount, whatever is configured.
const ANY_CGROUP: &[Fault] = &[FIRST, Fault::Drop("/mounts/6")];

pub(super) const ON_CGROUPS: &[Case] = &[
    Case::new(shown!("ro"), "cgroup", |r| cgroup(r, "ro"), ANY_CGROUP).needs(OWN_CGROUPS),
    Case::new(shown!("nosuid"), "cgroup", |r| cgroup(r, "nosuid"), ANY_CGROUP).needs(OWN_CGROUPS),
    Case::new(shown!("nodev"), "cgroup", |r| cgroup(r, "nodev"), ANY_CGROUP).needs(OWN_CGROUPS),
    Case::new(shown!("noexec"), "cgroup", |r| cgroup(r, "noexec"), ANY_CGROUP).needs(OWN_CGROUPS),
];

/// Each word that clears something, after the word that set it: the last one counts.
pub(super) const CLEARING: &[Case] = &[
    Case::new(shown!("rw"), "after-ro", |r| tmpfs(r, &["ro", "rw"]), &[SECOND]),
    Case::new(shown!("suid"), "after-nosuid", |r| tmpfs(r, &["nosuid", "suid"]), &[SECOND]),
    Case::new(shown!("dev"), "after-nodev", |r| tmpfs(r, &["nodev", "dev"]), &[SECOND]),
    Case::new(shown!("exec"), "after-noexec", |r| tmpfs(r, &["noexec", "exec"]), &[SECOND]),
    Case::new(shown!("symfollow"), "after-nosymfollow", |r| tmpfs(r, &["nosymfollow", "symfollow"]), &[SECOND])
        .needs(NOSYMFOLLOW),
    Case::new(shown!("diratime"), "after-nodiratime", |r| tmpfs(r, &["nodiratime", "diratime"]), &[SECOND]),
    Case::new(shown!("atime"), "after-noatime", |r| tmpfs(r, &["noatime", "atime"]), &[SECOND]),
    Case::new(shown!("norelatime"), "after-relatime", |r| tmpfs(r, &["norelatime", "relatime", "norelatime"]), AS_DATA),
    Case::new(shown!("nostrictatime"), "after-strictatime", |r| tmpfs(r, &["strictatime", "nostrictatime"]), &[SECOND]),
    Case::new(shown!("async"), "after-sync", |r| tmpfs(r, &["sync", "async"]), &[SECOND]),
    Case::new(shown!("nolazytime"), "after-lazytime", |r| tmpfs(r, &["lazytime", "nolazytime"]), &[SECOND]),
    Case::new(shown!("loud"), "after-silent", |r| tmpfs(r, &["loud", "silent", "loud"]), AS_DATA),
    Case::new(shown!("noiversion"), "after-iversion", |r| tmpfs(r, &["noiversion", "iversion", "noiversion"]), AS_DATA),
    Case::new(shown!("ro"), "after-rw", |r| tmpfs(r, &["rw", "ro"]), &[SECOND]),
    Case::new(shown!("noexec"), "after-exec", |r| tmpfs(r, &["exec", "noexec"]), &[SECOND]),
];

/// A bind mount takes its flags from the entry, which needs a second step of every runtime. `atime` and `diratime` are
/// not here: mount(2) keeps what is there when it is told neither, and so did mount(8) for long.
pub(super) const ON_BIND: &[Case] = &[
    Case::new(shown!("ro"), "bind", |r| bind(r, &[], &["bind", "ro"]), ANY_BIND),
    Case::new(shown!("nosuid"), "bind", |r| bind(r, &[], &["bind", "nosuid"]), ANY_BIND),
    Case::new(shown!("nodev"), "bind", |r| bind(r, &[], &["bind", "nodev"]), ANY_BIND),
    Case::new(shown!("noexec"), "bind", |r| bind(r, &[], &["bind", "noexec"]), ANY_BIND),
    Case::new(shown!("nosymfollow"), "bind", |r| bind(r, &[], &["bind", "nosymfollow"]), ANY_BIND).needs(NOSYMFOLLOW),
    Case::new(shown!("noatime"), "bind", |r| bind(r, &[], &["bind", "noatime"]), ANY_BIND),
    Case::new(shown!("nodiratime"), "bind", |r| bind(r, &[], &["bind", "nodiratime"]), ANY_BIND),
    Case::new(shown!("strictatime"), "bind", |r| bind(r, &[], &["bind", "strictatime"]), ANY_BIND),
    Case::new(shown!("relatime"), "bind-of-noatime", |r| bind(r, &["noatime"], &["bind", "relatime"]), ANY_BIND),
    Case::new(shown!("rw"), "bind-of-read-only", |r| bind(r, &["ro"], &["bind", "rw"]), ANY_BIND),
    Case::new(shown!("suid"), "bind-of-nosuid", |r| bind(r, &["nosuid"], &["bind", "suid"]), ANY_BIND),
    Case::new(shown!("dev"), "bind-of-nodev", |r| bind(r, &["nodev"], &["bind", "dev"]), ANY_BIND),
    Case::new(shown!("exec"), "bind-of-noexec", |r| bind(r, &["noexec"], &["bind", "exec"]), ANY_BIND),
    Case::new(
        shown!("symfollow"),
        "bind-of-nosymfollow",
        |r| bind(r, &["nosymfollow"], &["bind", "symfollow"]),
        ANY_BIND,
    )
    .needs(NOSYMFOLLOW),
];
