//! Malicious configurations, ids and paths. The runtime must refuse or accept them in bounded time and memory, without crashing, and remove
//! what it made.

mod mutation;
mod sandbox;

use std::fmt;
use std::io;

use nix::sys::resource::{UsageWho, getrusage};
use plimsoll_engine::cgroup;
use plimsoll_engine::fuzz_case::CaseResult;
use plimsoll_engine::guarded::run_guarded;
use plimsoll_engine::judgement::{Outcome, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_engine::settings::Settings;
use plimsoll_fixtures::{Config, Recipe};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use mutation::Mutation;

/// What is hostile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostile {
    /// A valid configuration with mutations.
    Config(Vec<Mutation>),
    /// Bytes that are no JSON, or not all of it.
    Bytes(Vec<u8>),
    /// An id; `{tag}` stands for a unique name.
    Id(String),
    /// A `cgroupsPath`; `{cgroup}` stands for that of the container.
    CgroupsPath(String),
    /// A link in the root filesystem, at a place where something is mounted or made, that leads there.
    Link(String, String),
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| {
            let head: String = text.chars().take(40).collect();
            if text.chars().count() > 40 { format!("{head:?}… ({} bytes)", text.len()) } else { format!("{head:?}") }
        };
        match self {
            Self::Config(mutations) => {
                let all: Vec<String> = mutations.iter().map(ToString::to_string).collect();
                write!(f, "a configuration with {}", all.join(" and "))
            }
            Self::Bytes(bytes) => write!(f, "a config.json of {}", short(&String::from_utf8_lossy(bytes))),
            Self::Id(id) => write!(f, "the id {}", short(id)),
            Self::CgroupsPath(path) => write!(f, "the cgroupsPath {}", short(path)),
            Self::Link(at, target) => write!(f, "a link at {at} to {target}"),
        }
    }
}

/// No call dies of a signal.
const NO_CRASH: &str = "hostile.no-crash";
/// What is refused leaves no container.
const REFUSED: &str = "hostile.refused-leaves-no-container";
/// What was made can be taken away.
const REMOVABLE: &str = "hostile.removable";
/// No call takes more than so much memory.
const MEMORY: &str = "hostile.memory";
/// The host is as before.
const LEAVES_NOTHING: &str = "hostile.leaves-nothing";
/// No call hangs.
const IN_TIME: &str = "hostile.in-time";

/// The properties of hostile cases, and the clauses that they rest on.
pub const CITES: &[(&str, &str)] = &[
    (NO_CRASH, "config.values.invalid-error"),
    (REFUSED, "runtime.create.unappliable-property-no-container"),
    (REMOVABLE, "runtime.delete.removes-created-resources"),
    (MEMORY, "runtime.errors.no-side-effects"),
    (LEAVES_NOTHING, "runtime.errors.no-side-effects"),
    (IN_TIME, "config.values.invalid-error"),
];

/// The most memory that a call may take, in KiB. The largest configuration here has some hundred kilobytes.
const MOST_MEMORY: i64 = 512 * 1024;

/// Tries it, in a process that is isolated.
#[must_use]
pub fn attempt(hostile: &Hostile, settings: &Settings, tag: &str) -> CaseResult {
    let mut result = CaseResult::default();
    let set_up = sandbox::enter(&settings.dir).and_then(|()| match hostile {
        // Such a path reaches any group that this process sees.
        Hostile::CgroupsPath(_) if !cgroup::is_confined() => {
            Err(io::Error::other("no control groups of the check's own, and those of others are not to be harmed"))
        }
        _ => Ok(()),
    });
    let done = set_up.and_then(|()| run_guarded(settings, tag, |lab| carry_out(hostile, lab)));
    match done {
        Ok(done) => {
            let property = match &done.result {
                Err(Stop::Broken(finding)) => finding.what.clone(),
                _ => REFUSED.to_owned(),
            };
            done.settle(&property, LEAVES_NOTHING, IN_TIME, &mut result);
            result.judged.extend(CITES.iter().map(|(property, _)| (*property).to_owned()));
        }
        Err(why) => result.error = Some(format!("set-up: {why}")),
    }
    result
}

fn carry_out(hostile: &Hostile, lab: &Lab<'_>) -> StepResult {
    let bundle = lab.build(&recipe(hostile))?;
    let id = match hostile {
        Hostile::Id(id) => id.replace("{tag}", &lab.tag),
        _ => bundle.id.clone(),
    };
    let created = lab.try_create_from(&lab.dir, &bundle, |values| values.with("id", &id))?.outcome;
    no_crash(&created)?;
    let values = || Values::default().with("id", &id);
    if created.succeeded() {
        no_crash(&lab.call(Op::Start, &values())?)?;
        let deleted = lab.call(Op::Delete, &values().with("force", ""))?;
        no_crash(&deleted)?;
        if !deleted.succeeded() {
            return Err(Stop::broken(REMOVABLE, "delete --force works", deleted.said()));
        }
    } else {
        let state = lab.call(Op::State, &values())?;
        no_crash(&state)?;
        // An id that is refused by create may be one that other operations complain of in their own ways.
        if state.succeeded() {
            return Err(Stop::broken(REFUSED, "no container of this id", state.stdout));
        }
    }
    let taken = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    if taken > MOST_MEMORY {
        return Err(Stop::broken(MEMORY, format!("at most {MOST_MEMORY} KiB"), format!("{taken} KiB")));
    }
    Ok(())
}

fn no_crash(outcome: &Outcome) -> StepResult {
    match outcome.ended {
        Ended::Signal(_) => Err(Stop::broken(NO_CRASH, format!("{} exits", outcome.op), outcome.said())),
        Ended::Exit(_) | Ended::Deadline => Ok(()),
    }
}

fn recipe(hostile: &Hostile) -> Recipe {
    let mut recipe = Recipe::default();
    match hostile {
        Hostile::Config(mutations) => drop(recipe.raw(mutation::bytes(&usual(), mutations))),
        Hostile::Bytes(bytes) => drop(recipe.raw(bytes.clone())),
        Hostile::Id(_) => {}
        Hostile::CgroupsPath(path) => drop(recipe.set("/linux/cgroupsPath", path)),
        Hostile::Link(at, target) => {
            recipe.symlink(at, target);
            recipe.mount("/m/inner", "tmpfs", "tmpfs", &["size=64k"]);
            recipe.set("/linux/maskedPaths", ["/masked/file"]).set("/linux/readonlyPaths", ["/kept"]);
            recipe.set("/process/cwd", "/cwd/inner");
            recipe.set("/linux/devices", json!([{ "path": "/dev/made/node", "type": "p" }]));
        }
    }
    recipe
}

/// The configuration that is mutated: it has most members. `{cgroup}` is filled in when the bundle is written.
fn usual() -> Config {
    let mut recipe = Recipe::default();
    recipe
        .set("/hostname", "plimsoll")
        .set("/annotations", json!({ "com.example.key": "value" }))
        .set("/process/user/additionalGids", [5, 7])
        .set("/process/rlimits", json!([{ "type": "RLIMIT_CORE", "soft": 0, "hard": 0 }]))
        .set("/process/oomScoreAdj", 500)
        .set("/hooks/poststop", json!([{ "path": "/bin/cat", "args": ["cat"], "timeout": 5 }]))
        .set("/linux/maskedPaths", ["/proc/kcore"])
        .set("/linux/readonlyPaths", ["/proc/sys"])
        .set("/linux/devices", json!([{ "path": "/dev/made", "type": "p", "fileMode": 384, "uid": 0, "gid": 0 }]))
        .set("/linux/rootfsPropagation", "private")
        .set("/linux/resources", json!({ "pids": { "limit": 100 } }))
        .set(
            "/linux/seccomp",
            json!({
                "defaultAction": "SCMP_ACT_ALLOW",
                "architectures": ["SCMP_ARCH_X86_64"],
                "syscalls": [{ "names": ["readahead"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77,
                    "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_EQ" }] }],
            }),
        );
    recipe.config()
}

/// Odd names: for ids, paths and whatever else is text.
#[must_use]
pub fn odd_texts() -> Vec<String> {
    let plain = [
        "",
        "/",
        ".",
        "..",
        "../..",
        "/..",
        "//",
        "a/../../b",
        "~",
        "-",
        "--help",
        "\0",
        "a\0b",
        "\n",
        " ",
        "%s%n",
        "\u{fffd}",
    ];
    let plain = plain.map(str::to_owned).into_iter();
    plain.chain([4095, 4096, 65_536].map(|length| "x".repeat(length))).chain(["a/".repeat(2048)]).collect()
}

/// Where a hostile link may be.
const PLACES: [&str; 10] = ["/m", "/masked", "/kept", "/cwd", "/proc", "/sys", "/dev", "/dev/made", "/dev/pts", "/tmp"];

/// Where it may lead.
const TARGETS: [&str; 10] =
    ["/", "..", "../../../../../..", "/proc", "/proc/self", "/proc/1/root", "/dev", "/nowhere", "self", "/m"];

/// Whether [`strategy`] could have made it: what comes from a file is tried only then.
pub(super) fn is_drawn(hostile: &Hostile) -> bool {
    let odd = odd_texts();
    let is_odd = |text: &str| odd.iter().any(|odd| odd == text);
    let is_odd_id = |text: &str| odd.iter().any(|odd| odd.replace('\0', "") == text);
    match hostile {
        Hostile::Config(mutations) => {
            mutations.len() <= 8 && mutations.iter().all(|one| mutation::is_drawn(one, &usual()))
        }
        Hostile::Bytes(bytes) => mutation::is_drawn_text(bytes, &usual()),
        Hostile::Id(id) => {
            let (before, after) = (id.strip_suffix("{tag}"), id.strip_prefix("{tag}"));
            is_odd_id(id) || before.is_some_and(is_odd_id) || after.is_some_and(is_odd_id)
        }
        Hostile::CgroupsPath(path) => {
            let below = path.strip_prefix("{cgroup}");
            let within = below.and_then(|path| path.strip_prefix('/')?.strip_suffix("/inner"));
            is_odd(path) || below.is_some_and(is_odd) || within.is_some_and(is_odd)
        }
        Hostile::Link(at, target) => PLACES.contains(&at.as_str()) && TARGETS.contains(&target.as_str()),
    }
}

/// Random hostile cases.
pub fn strategy() -> BoxedStrategy<Hostile> {
    let odd = || select(odd_texts());
    let without_nul = || odd().prop_map(|text| text.replace('\0', ""));
    let id = prop_oneof![
        without_nul(),
        without_nul().prop_map(|odd| format!("{{tag}}{odd}")),
        without_nul().prop_map(|odd| format!("{odd}{{tag}}"))
    ];
    let path = prop_oneof![
        odd(),
        odd().prop_map(|odd| format!("{{cgroup}}{odd}")),
        odd().prop_map(|odd| format!("{{cgroup}}/{odd}/inner"))
    ];
    let place = select(PLACES.to_vec());
    let target = select(TARGETS.to_vec());
    prop_oneof![
        12 => prop::collection::vec(mutation::strategy(&usual()), 1..4).prop_map(Hostile::Config),
        2 => mutation::text(&usual()).prop_map(Hostile::Bytes),
        2 => id.prop_map(Hostile::Id),
        2 => path.prop_map(Hostile::CgroupsPath),
        2 => (place, target).prop_map(|(at, target)| Hostile::Link(at.to_owned(), target.to_owned())),
    ]
    .boxed()
}
