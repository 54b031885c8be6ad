//! Each parser of bytes that others wrote, called as the harness calls it. The fuzz targets call them, and a test with random
//! bytes: whatever comes in, they return.

use plimsoll_engine::container::State;
use plimsoll_engine::observer::{limits, mountinfo, stat::Stat, status::Status};
use plimsoll_engine::profile::Profile;
use plimsoll_engine::release::Release;
use plimsoll_fixtures::probe::{Answer, Hello, HookRecord};
use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::file;
use plimsoll_suites::fuzz::input::Input;
use plimsoll_suites::fuzz::vet;
use plimsoll_vm::wire::Decoder;
use serde_json::Value;

/// A name, the parser, and something that it takes, for mutations to begin with.
pub type Parser = (&'static str, fn(&[u8]), &'static str);

/// All of them.
pub const ALL: &[Parser] = &[
    ("state", state, r#"{"ociVersion":"1.0.2","id":"a","status":"running","pid":7,"bundle":"/b"}"#),
    ("features", features, r#"{"ociVersionMin":"1.0.0","ociVersionMax":"1.2.1","hooks":["poststop"]}"#),
    ("results", results, r#"{"schema":"1.1","plimsoll":"0.1.0","run":"r","checks":[{"id":"a/b","verdict":"fail"}]}"#),
    ("case", case, r#"{"bundle":[{"name":"random/x","edits":[{"file":["rootfs/x","y",420]}]}]}"#),
    (
        "profile",
        profile,
        "name = \"x\"\nsignal = \"name\"\nglobal = \"[root: --root {root}]\"\n[operation]\ncreate = \"create {id}\"\n",
    ),
    (
        "expectations",
        expectations,
        "[[expect]]\nchecks = [\"a.*\"]\nverdict = \"fail\"\nreason = \"known\"\nversion = \">=1.2\"\n",
    ),
    ("mountinfo", mounts, "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"),
    ("processes", processes, "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 3130 412 1844 0\n"),
    ("probe", probe, r#"[{"Ok":{"bytes":[1,2]}},{"Err":{"doing":"open","errno":2}}]"#),
    ("machine", machine, "o\u{1}\0\0\0x0000"),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn state(bytes: &[u8]) {
    if let Ok(document) = serde_json::from_slice::<Value>(bytes) {
        let state = State(document);
        drop((state.status(), state.pid()));
    }
}

pub fn features(bytes: &[u8]) {
    let features: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let _claimed = Release::claimed_in(&features);
    let _other = Release::parse(&text(bytes));
}

pub fn results(bytes: &[u8]) {
    drop(file::results_of(bytes));
}

/// A path that leaves the bundle, or a mode that lets a file run as another, is objected to wherever it stands.
pub fn case(bytes: &[u8]) {
    if let Ok(subject) = serde_json::from_slice::<Input>(bytes) {
        let objection = vet::objection(&subject, &[]);
        let Input::Bundle(fragments) = &subject else { return };
        let edits = fragments.iter().flat_map(|fragment| &fragment.edits);
        let leaves = |path: &str| path.starts_with('/') || path.split('/').any(|part| part == "..");
        assert!(objection.is_some() || !edits.filter_map(|edit| edit.path()).any(leaves));
    }
}

pub fn profile(bytes: &[u8]) {
    drop(Profile::parse("p.toml", &text(bytes)));
}

pub fn expectations(bytes: &[u8]) {
    drop(Expectations::parse("e.toml", &text(bytes)));
}

pub fn mounts(bytes: &[u8]) {
    drop(mountinfo::parse(&text(bytes)));
}

pub fn processes(bytes: &[u8]) {
    let text = text(bytes);
    drop((Stat::parse(&text), Status::parse(&text), limits::parse(&text)));
}

pub fn probe(bytes: &[u8]) {
    drop(serde_json::from_slice::<Vec<Answer>>(bytes));
    drop(serde_json::from_slice::<Hello>(bytes));
    drop(serde_json::from_slice::<HookRecord>(bytes));
}

pub fn machine(bytes: &[u8]) {
    drop(Decoder::default().feed(bytes));
}
