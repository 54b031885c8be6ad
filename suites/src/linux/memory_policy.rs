//! `linux.memoryPolicy`: the memory policy of the program, as the kernel shows it for each of its mappings
//! (`config-linux.md#memory-policy`; numa(7)).

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_engine::sys;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use crate::refusal;

const POLICY: &str = "/linux/memoryPolicy";
const MAPS: &str = "/proc/self/numa_maps";
const NUMA: &[Need] = &[Need::File(MAPS)];

const APPLIED: Rule = Rule::new(
    "linux.memory-policy.applied",
    &["linux.memory-policy.mode-applied", "linux.memory-policy.nodes-applied", "linux.memory-policy.flags-applied"],
    |_| vec![Ask::Read(MAPS.into())],
    |config, evidence, out| {
        let maps = evidence.inside.read(MAPS).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let shown = maps.map(|maps| maps.lines().next().and_then(|line| line.split(' ').nth(1)).map(str::to_owned));
        out.expect_eq("policy of the first mapping", shown, Ok(Some(wanted(config))));
    },
)
.needs(NUMA);

/// The policy as the kernel writes it.
fn wanted(config: &Config) -> String {
    let mode = match config.text("/linux/memoryPolicy/mode").unwrap_or_default() {
        "MPOL_PREFERRED" => "prefer",
        "MPOL_BIND" => "bind",
        "MPOL_INTERLEAVE" => "interleave",
        "MPOL_LOCAL" => "local",
        _ => "default",
    };
    let flag = match config.text("/linux/memoryPolicy/flags/0") {
        Some("MPOL_F_STATIC_NODES") => "=static",
        Some("MPOL_F_RELATIVE_NODES") => "=relative",
        _ => "",
    };
    let nodes = config.text("/linux/memoryPolicy/nodes").map(|nodes| format!(":{nodes}")).unwrap_or_default();
    format!("{mode}{flag}{nodes}")
}

macro_rules! applied {
    ($($name:literal, $policy:tt, $proves:expr;)*) => {
        &[$(Case::new(&APPLIED, $name, |r| r.set(POLICY, json!($policy)), $proves)),*]
    };
}

const DROP: Fault = Fault::Drop(POLICY);
const LOCAL: Fault = Fault::Take(POLICY, "{\"mode\": \"MPOL_LOCAL\"}");

pub(super) const CASES: &[Case] = applied! {
    "bind", { "mode": "MPOL_BIND", "nodes": "0" }, &[DROP, LOCAL];
    "preferred", { "mode": "MPOL_PREFERRED", "nodes": "0" }, &[DROP, LOCAL];
    "interleave", { "mode": "MPOL_INTERLEAVE", "nodes": "0" }, &[DROP, LOCAL];
    "local", { "mode": "MPOL_LOCAL" }, &[DROP];
    "static-nodes", { "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"] },
        &[DROP, Fault::Drop("/linux/memoryPolicy/flags")];
    "relative-nodes", { "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"] },
        &[DROP, Fault::Drop("/linux/memoryPolicy/flags")];
};

/// A policy of the caller, which the program would inherit, makes way for the default.
pub(super) const DEFAULT: &[Scenario] =
    &[Scenario::new("linux.memory-policy.applied/default", APPLIED.cites, &[DROP, LOCAL], |lab, out| {
        sys::prefer_local_memory()?;
        let container = lab.running(|r| r.set(POLICY, json!({ "mode": "MPOL_DEFAULT" })))?;
        let config = &container.bundle.config;
        (APPLIED.judge)(config, &container.evidence((APPLIED.asks)(config))?, out);
        container.finish_and_delete()
    })
    .needs(NUMA)];

/// One scenario a row: what is asked for, and cannot be.
macro_rules! refused {
    ($($name:literal, [$($clause:literal),*], $policy:tt;)*) => {
        &[$(Scenario::new(
            concat!("linux.memory-policy.refused/", $name),
            &[$(concat!("linux.memory-policy.", $clause)),*],
            &[DROP, LOCAL],
            |lab, out| refusal::by_create_or_start(lab, out, &lab.bundle(|r| r.set(POLICY, json!($policy)))?),
        ).needs(NUMA)),*]
    };
}

pub(super) const REFUSED: &[Scenario] = refused! {
    "unknown-mode", ["mode-applied"], { "mode": "MPOL_NOSUCH" };
    "no-mode", ["mode-required", "mode-applied"], { "nodes": "0" };
    "default-with-nodes", ["nodes-mode-rules"], { "mode": "MPOL_DEFAULT", "nodes": "0" };
    "bind-without-nodes", ["nodes-mode-rules"], { "mode": "MPOL_BIND" };
    "nodes-are-no-list", ["nodes-applied"], { "mode": "MPOL_BIND", "nodes": "x" };
    "no-such-node", ["nodes-applied"], { "mode": "MPOL_BIND", "nodes": "1023" };
    "unknown-flag", ["flags-applied"], { "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NOSUCH"] };
};
