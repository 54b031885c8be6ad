//! Random mounts. Their destination is `/m`; each bundle moves it so that mounts do not overlap.

use plimsoll_fixtures::{Edit, Recipe};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::BoxedStrategy;

use super::edits;

/// Words that set or clear a flag of a mount, in pairs. `atime` and `diratime` are not here: mount(2) keeps what is there
/// when it is told neither.
const FLAGS: [&str; 13] = [
    "ro",
    "rw",
    "nosuid",
    "suid",
    "nodev",
    "dev",
    "noexec",
    "exec",
    "noatime",
    "relatime",
    "strictatime",
    "nodiratime",
    "nosymfollow",
];

/// Words of the filesystem.
const OF_FILESYSTEM: [&str; 7] = ["sync", "async", "dirsync", "lazytime", "nolazytime", "defaults", "loud"];

fn options(words: Vec<&'static str>, most: usize) -> BoxedStrategy<Vec<&'static str>> {
    subsequence(words, 0..=most).prop_shuffle().boxed()
}

pub(super) fn tmpfs() -> BoxedStrategy<Vec<Edit>> {
    let words = FLAGS.into_iter().chain(OF_FILESYSTEM).collect();
    let data = prop::option::of((1..=0o777_u32, 1..250_u32));
    (options(words, 6), data)
        .prop_map(|(words, data)| {
            let data = data
                .map(|(mode, size)| vec![format!("mode={mode:o}"), format!("size={}k", 4 * size)])
                .unwrap_or_default();
            let all: Vec<String> = words.into_iter().map(str::to_owned).chain(data).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            edits(|r| r.mount("/m", "tmpfs", "tmpfs", &all))
        })
        .boxed()
}

/// What a host may have mounted there.
const OF_HOST: [&str; 7] = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"];

/// A bind mount of a directory that the host has mounted with other flags. Which of those a mount keeps that does not
/// speak of them is not specified, and no rule asks.
pub(super) fn bind() -> BoxedStrategy<Vec<Edit>> {
    (options(OF_HOST.to_vec(), 3), options(FLAGS.to_vec(), 5), any::<bool>())
        .prop_map(|(host, words, recursive)| {
            let first = if recursive { "rbind" } else { "bind" };
            let all: Vec<&str> = [first].into_iter().chain(words).collect();
            edits(|r| r.tmpfs_beside("tree", &host).mount("/m", "bind", "{bundle}/tree", &all))
        })
        .boxed()
}

/// Mounts within mounts, each in a directory of the one before.
pub(super) fn tree() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec((any::<bool>(), options(FLAGS[2..].to_vec(), 3)), 1..5)
        .prop_map(|levels| edits(|r| nest(r, &levels)))
        .boxed()
}

fn nest<'r>(recipe: &'r mut Recipe, levels: &[(bool, Vec<&'static str>)]) -> &'r mut Recipe {
    let mut at = "/m".to_owned();
    for (number, (is_bind, words)) in levels.iter().enumerate() {
        if *is_bind {
            let dir = format!("level{number}");
            let all: Vec<&str> = ["bind"].into_iter().chain(words.iter().copied()).collect();
            recipe.directory_beside(&format!("{dir}/next")).mount(&at, "bind", &format!("{{bundle}}/{dir}"), &all);
        } else {
            recipe.mount(&at, "tmpfs", "tmpfs", words);
        }
        at.push_str("/next");
    }
    recipe
}
