//! Where an entry is mounted, and in which order (`config.md#mounts`).

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use super::entry::{Entry, entries};

/// What each destination leads to, when the entries are mounted one after the other.
fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    let entries = entries(config);
    for (at, entry) in entries.iter().enumerate() {
        let above = |later: &Entry<'_>| entry.destination.starts_with(&format!("{}/", later.destination));
        let hidden = entries[at + 1..].iter().any(above);
        let found = evidence.host().mount_at(&entry.destination);
        let expected = if hidden {
            "nothing: a later mount hides it".to_owned()
        } else {
            format!("{} {}", entry.kind, entry.source)
        };
        let met = match found {
            Some(mount) => {
                !hidden
                    && (entry.is_bind()
                        || entry.kind == "cgroup"
                        || entry.source.is_empty()
                        || mount.source == entry.source)
            }
            None => hidden,
        };
        out.expect(&entry.destination, met, expected, found);
    }
}

const ORDER: Rule = Rule::by_host("mounts.order", &["config.mounts.listed-order"], judge);

const REVERSED: &[Fault] = &[Fault::Reverse("/mounts")];

pub(super) const ORDERS: &[Case] = &[
    Case::new(
        &ORDER,
        "mount-in-a-mount",
        |r| r.mount("/m", "tmpfs", "outer", &[]).directory_beside("d").mount("/m/inner", "none", "d", &["bind"]),
        REVERSED,
    ),
    Case::new(
        &ORDER,
        "mount-over-a-mount-below",
        |r| r.directory_beside("d").mount("/m/inner", "none", "d", &["bind"]).mount("/m", "tmpfs", "outer", &[]),
        REVERSED,
    ),
    Case::new(
        &ORDER,
        "three-deep",
        |r| {
            let r = r.mount("/m", "tmpfs", "outer", &[]).mount("/m/a/b", "tmpfs", "middle", &[]);
            r.mount("/m/a/b/c/d", "tmpfs", "inner", &[])
        },
        REVERSED,
    ),
    Case::new(
        &ORDER,
        "twice-at-one-place",
        |r| r.mount("/m", "tmpfs", "first", &[]).mount("/m", "tmpfs", "second", &[]),
        &[Fault::Reverse("/mounts"), Fault::Drop("/mounts/7")],
    ),
    Case::new(
        &ORDER,
        "twenty",
        |r| (0..20).fold(r, |r, n| r.mount(&format!("/m{}", "/x".repeat(n)), "tmpfs", &format!("number-{n}"), &[])),
        &[Fault::Reverse("/mounts"), Fault::DropLast("/mounts")],
    ),
];

const RELATIVE: Rule = Rule::by_host("mounts.destination", &["config.mounts.destination-relative-to-root"], judge);
const ABSOLUTE: Rule = Rule::by_host(
    "mounts.destination",
    &["config.mounts.parameters-per-mount2", "config.mounts.destination-absolute"],
    judge,
);

const ELSEWHERE: &[Fault] = &[Fault::Take("/mounts/6/destination", "\"/elsewhere\""), Fault::Drop("/mounts/6")];

pub(super) const PLACES: &[Case] = &[
    Case::new(&RELATIVE, "relative", |r| r.directory("/rel").mount("rel", "tmpfs", "t", &[]), ELSEWHERE),
    Case::new(&RELATIVE, "relative-where-nothing-was", |r| r.mount("rel/dir", "tmpfs", "t", &[]), ELSEWHERE),
    Case::new(
        &RELATIVE,
        "relative-with-another-working-directory",
        |r| r.directory("/work").set("/process/cwd", "/work").mount("rel/dir", "tmpfs", "t", &[]),
        &[Fault::Take("/mounts/6/destination", "\"/work/rel/dir\"")],
    ),
    Case::new(&ABSOLUTE, "where-nothing-was", |r| r.mount("/deep/er/m", "tmpfs", "t", &[]), ELSEWHERE),
    Case::new(&ABSOLUTE, "with-final-slash", |r| r.mount("/m/", "tmpfs", "t", &[]), ELSEWHERE),
    Case::new(&ABSOLUTE, "with-blanks", |r| r.mount("/a b/c\td", "tmpfs", "a source", &[]), ELSEWHERE),
    Case::new(&ABSOLUTE, "with-dot-dot", |r| r.directory("/a").mount("/a/../m", "tmpfs", "t", &[]), ELSEWHERE),
    Case::new(&ABSOLUTE, "with-dot-dot-above-the-root", |r| r.mount("/../../m", "tmpfs", "t", &[]), ELSEWHERE),
];

/// Members that may be absent: an entry is mounted without them.
const OPTIONAL: Rule =
    Rule::by_host("mounts.optional-members", &["config.mounts.optional-members"], |config, evidence, out| {
        for entry in entries(config) {
            let kind = evidence.host().mount_at(&entry.destination).map(|mount| mount.kind.as_str());
            out.expect_eq(&format!("type of {}", entry.destination), kind, Some(entry.kind));
        }
    });

pub(super) const MEMBERS: &[Case] = &[
    Case::new(
        &OPTIONAL,
        "without-options",
        |r| r.push("/mounts", json!({ "destination": "/m", "type": "tmpfs", "source": "tmpfs" })),
        ELSEWHERE,
    ),
    Case::new(
        &OPTIONAL,
        "without-source",
        |r| r.push("/mounts", json!({ "destination": "/m", "type": "tmpfs", "options": ["nosuid"] })),
        ELSEWHERE,
    ),
    Case::new(
        &OPTIONAL,
        "destination-and-type-alone",
        |r| r.push("/mounts", json!({ "destination": "/m", "type": "tmpfs" })),
        ELSEWHERE,
    ),
];

/// With a read-only root, a mount is as its own options say.
const BELOW_READ_ONLY: Rule = Rule::new(
    "mounts.below-read-only-root",
    &["config.root.readonly-true", "config.mounts.option.rw"],
    |_| ["/new", "/m/new"].map(write).to_vec(),
    |config, evidence, out| {
        let below = evidence.inside.get(&write("/m/new"));
        out.expect("writing below /m", below.is_ok(), "works", below);
        let root = evidence.inside.get(&write("/new"));
        out.expect(
            "writing below /",
            root.is_err() == config.flag("/root/readonly"),
            "refused by a read-only root",
            root,
        );
    },
);

fn write(path: &str) -> Ask {
    Ask::Write { path: path.to_owned(), data: "x".to_owned() }
}

const READ_ONLY: &[Fault] = &[Fault::Drop("/root/readonly"), Fault::Drop("/mounts/6")];

pub(super) const READ_ONLY_ROOT: &[Case] = &[
    Case::new(&BELOW_READ_ONLY, "tmpfs", |r| r.set("/root/readonly", true).mount("/m", "tmpfs", "t", &[]), READ_ONLY),
    Case::new(
        &BELOW_READ_ONLY,
        "bind",
        |r| r.set("/root/readonly", true).directory_beside("d").mount("/m", "none", "{bundle}/d", &["bind", "rw"]),
        READ_ONLY,
    ),
];
