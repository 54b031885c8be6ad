//! Mount options by their effect on a program inside, on the tree of [`tree`](super::tree).

use libc::O_RDONLY;
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Refused, Reply};
use plimsoll_fixtures::{Config, Recipe};
use serde_json::json;

use super::entry::entries;
use super::options::{is_in_force, word};
use super::tree;

/// The rule of one word: a program inside finds it done.
macro_rules! felt {
    ($word:literal) => {
        &Rule::new(
            concat!("mounts.effect.", $word),
            &[concat!("config.mounts.option.", $word)],
            |config| directories($word, config).iter().map(|dir| effect($word, dir, config).0).collect(),
            |config, evidence, out| judge($word, config, evidence, out),
        )
    };
}

/// Directories of the tree that a word concerns.
fn directories(name: &str, config: &Config) -> Vec<String> {
    let word = word(name);
    let concerned = entries(config).into_iter().filter(|entry| entry.source.ends_with("/tree"));
    let tops = concerned.filter(|entry| is_in_force(word, entry)).map(|entry| entry.destination);
    let below = |top: String| if word.is_recursive() { vec![format!("{top}/sub"), top] } else { vec![top] };
    tops.flat_map(below).collect()
}

/// What an answer must be.
#[derive(Debug)]
enum Expected {
    Works,
    Denied,
    Is(Reply),
}

impl Describe for Expected {
    fn describe(&self) -> String {
        match self {
            Self::Works => "it works".to_owned(),
            Self::Denied => "it is denied".to_owned(),
            Self::Is(reply) => reply.describe(),
        }
    }
}

/// What to ask in a directory, and what must come of it.
fn effect(name: &str, dir: &str, config: &Config) -> (Ask, Expected) {
    use Expected::{Denied, Is, Works};
    let at = |file: &str| format!("{dir}/{file}");
    let write = || Ask::Write { path: at("new"), data: "x".to_owned() };
    let run = || Ask::Run(vec![at("program")]);
    let open = || Ask::Open { path: at("device"), flags: O_RDONLY };
    let follow = || Ask::Read(at("link"));
    let touched = |what: &str| Is(Reply::Text(what.to_owned()));
    let user = |user: Option<i64>| Is(Reply::Count(user.unwrap_or(0) % 256));
    match name {
        "ro" | "rro" => (write(), Denied),
        "rw" | "rrw" => (write(), Works),
        "noexec" | "rnoexec" => (run(), Denied),
        "exec" | "rexec" => (run(), Works),
        "nodev" => (open(), Denied),
        "dev" | "rdev" => (open(), Works),
        "nosuid" | "rnosuid" => (run(), user(config.number("/process/user/uid"))),
        "suid" | "rsuid" => (run(), user(None)),
        "nosymfollow" | "rnosymfollow" => (follow(), Denied),
        "symfollow" | "rsymfollow" => (follow(), Works),
        "noatime" | "rnoatime" => (Ask::TouchByRead(at("file")), touched("none")),
        "relatime" | "rrelatime" => (Ask::TouchByRead(at("file")), touched("relative")),
        "strictatime" | "rstrictatime" => (Ask::TouchByRead(at("file")), touched("strict")),
        "nodiratime" | "rnodiratime" => (Ask::TouchByRead(dir.to_owned()), touched("none")),
        "diratime" | "rdiratime" => (Ask::TouchByRead(dir.to_owned()), touched("relative")),
        other => panic!("{other} has no effect that a program could feel"),
    }
}

fn judge(name: &str, config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for dir in directories(name, config) {
        let (ask, expected) = effect(name, &dir, config);
        let answer = evidence.inside.get(&ask);
        let met = match &expected {
            Expected::Works => answer.is_ok(),
            Expected::Denied => answer.is_err_and(Refused::is_denial),
            Expected::Is(reply) => answer == Ok(reply),
        };
        out.expect(&ask.describe(), met, expected.describe(), answer);
    }
}

const IGNORED_WORD: Fault = Fault::Drop("/mounts/6/options/1");
/// The word is not heeded.
const IGNORED: &[Fault] = &[IGNORED_WORD, Fault::Drop("/mounts/6")];
/// It is heeded at the top alone, or not at all.
const NOT_BELOW: &[Fault] = &[IGNORED_WORD, Fault::Take("/mounts/6/options/0", "\"bind\"")];
/// Where the directory under a mount that is missing would answer in the same way.
const READ_ONLY_ABOVE: &[Fault] = &[IGNORED_WORD, Fault::Take("/mounts/6/options/1", "\"ro\"")];
const NODIRATIME_ABOVE: &[Fault] = &[IGNORED_WORD, Fault::Take("/mounts/6/options/1", "\"nodiratime\"")];
const DIRATIME_ABOVE: &[Fault] = &[IGNORED_WORD, Fault::Take("/mounts/6/options/1", "\"diratime\"")];
const NOSYMFOLLOW: &[Need] = &[Need::Kernel(5, 10)];
const SETATTR: &[Need] = &[Need::Kernel(5, 12)];
const BELOW: &[Need] = &[Need::Kernel(5, 14)];

/// A bind mount of the tree, which the host has mounted with `host`.
fn bind<'r>(recipe: &'r mut Recipe, host: &[&str], word: &str) -> &'r mut Recipe {
    tree::bound(recipe, host, &[], &["bind", word])
}

/// The whole tree, whose lower mount the host has mounted with `sub`.
fn rbind<'r>(recipe: &'r mut Recipe, sub: &[&str], word: &str) -> &'r mut Recipe {
    tree::bound(recipe, &[], sub, &["rbind", word])
}

/// A user to whom the set-user-id bit makes a difference.
fn user(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set("/process/user", json!({ "uid": 77, "gid": 77 })).set("/process/noNewPrivileges", false)
}

pub(super) const PLAIN: &[Case] = &[
    Case::new(felt!("ro"), "bind", |r| bind(r, &[], "ro"), IGNORED),
    Case::new(felt!("noexec"), "bind", |r| bind(r, &[], "noexec"), IGNORED),
    Case::new(felt!("exec"), "bind-of-noexec", |r| bind(r, &["noexec"], "exec"), IGNORED),
    Case::new(felt!("nodev"), "bind", |r| bind(r, &[], "nodev"), IGNORED),
    Case::new(felt!("dev"), "bind-of-nodev", |r| bind(r, &["nodev"], "dev"), IGNORED),
    Case::new(felt!("nosuid"), "bind", |r| user(bind(r, &[], "nosuid")), IGNORED),
    Case::new(felt!("suid"), "bind-of-nosuid", |r| user(bind(r, &["nosuid"], "suid")), IGNORED),
    Case::new(felt!("nosymfollow"), "bind", |r| bind(r, &[], "nosymfollow"), IGNORED).needs(NOSYMFOLLOW),
    Case::new(felt!("noatime"), "bind", |r| bind(r, &[], "noatime"), IGNORED),
    Case::new(felt!("relatime"), "bind-of-strictatime", |r| bind(r, &["strictatime"], "relatime"), IGNORED),
    Case::new(felt!("strictatime"), "bind", |r| bind(r, &[], "strictatime"), IGNORED),
    Case::new(felt!("nodiratime"), "bind", |r| bind(r, &[], "nodiratime"), IGNORED),
];

pub(super) const RECURSIVE: &[Case] = &[
    Case::new(felt!("rro"), "tree", |r| rbind(r, &[], "rro"), READ_ONLY_ABOVE).needs(SETATTR),
    Case::new(felt!("rrw"), "tree", |r| rbind(r, &["ro"], "rrw"), IGNORED).needs(SETATTR),
    Case::new(felt!("rnoexec"), "tree", |r| rbind(r, &[], "rnoexec"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rexec"), "tree", |r| rbind(r, &["noexec"], "rexec"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rdev"), "tree", |r| rbind(r, &["nodev"], "rdev"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rnosuid"), "tree", |r| user(rbind(r, &[], "rnosuid")), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rsuid"), "tree", |r| user(rbind(r, &["nosuid"], "rsuid")), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rnosymfollow"), "tree", |r| rbind(r, &[], "rnosymfollow"), NOT_BELOW).needs(BELOW),
    Case::new(felt!("rsymfollow"), "tree", |r| rbind(r, &["nosymfollow"], "rsymfollow"), NOT_BELOW).needs(BELOW),
    Case::new(felt!("rnoatime"), "tree", |r| rbind(r, &[], "rnoatime"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rrelatime"), "tree", |r| rbind(r, &["noatime"], "rrelatime"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rstrictatime"), "tree", |r| rbind(r, &[], "rstrictatime"), NOT_BELOW).needs(SETATTR),
    Case::new(felt!("rnodiratime"), "tree", |r| rbind(r, &[], "rnodiratime"), NODIRATIME_ABOVE).needs(SETATTR),
    Case::new(felt!("rdiratime"), "tree", |r| rbind(r, &["nodiratime"], "rdiratime"), DIRATIME_ABOVE).needs(SETATTR),
];
