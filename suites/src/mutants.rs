//! The mutants that the suite is tested with. Checks declare some of them. The others are derived: one for each member that a case sets
//! and each small way to get its value wrong, and one for each way in which an operation can be wrong.

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::Signal;
use plimsoll_engine::batch;
use plimsoll_engine::check::{Body, Check};
use plimsoll_engine::fault::{Fault, Leftover, ValueFault};
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Flaw;
use plimsoll_fixtures::{Config, Edit};
use serde_json::Value;

/// A faulty runtime, and the checks that could see it.
#[derive(Clone, Debug)]
pub struct Mutant<'c> {
    /// What is wrong with it.
    pub fault: Fault,
    /// The checks that are there for it.
    pub declared_by: Vec<&'c Check>,
    /// Other checks whose container would show it.
    pub shown_by: Vec<&'c Check>,
}

/// Every mutant that these checks could see, each once.
#[must_use]
pub fn of<'c>(checks: &[&'c Check]) -> Vec<Mutant<'c>> {
    let mut mutants: BTreeMap<String, Mutant<'c>> = BTreeMap::new();
    let mut note = |fault: Fault, check: &'c Check, declared: bool| {
        let blank = || Mutant { fault, declared_by: Vec::new(), shown_by: Vec::new() };
        let mutant = mutants.entry(fault.to_string()).or_insert_with(blank);
        let list = if declared { &mut mutant.declared_by } else { &mut mutant.shown_by };
        list.push(check);
    };
    for check in checks {
        check.proves().iter().for_each(|&fault| note(fault, check, true));
        derived(check).into_iter().for_each(|fault| note(fault, check, false));
    }
    for (fault, sections) in OF_OPERATIONS {
        let could = checks.iter().filter(|check| sections.iter().any(|section| check.id.starts_with(section)));
        could.for_each(|check| note(*fault, check, false));
    }
    let mut mutants: Vec<Mutant<'c>> = mutants.into_values().collect();
    mutants.iter_mut().for_each(put_likely_killers_first);
    mutants
}

/// Checks that declare a mutant of the same member come first, then one of each subject in turn.
fn put_likely_killers_first(mutant: &mut Mutant<'_>) {
    let members = mutant.fault.members();
    let looks = |check: &Check| {
        let declared = check.proves().iter().flat_map(|fault| fault.members());
        declared.into_iter().any(|theirs| members.iter().any(|own| batch::overlap(own, theirs)))
    };
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    mutant.shown_by.sort_by_cached_key(|check| {
        let subject = check.id.split('/').next().unwrap_or(&check.id).to_owned();
        let turn = met.entry(subject).or_default();
        *turn += 1;
        (!looks(check), *turn, check.id.clone())
    });
}

/// The ways in which operations can be wrong, and the beginnings of the ids of checks that could see them.
const OF_OPERATIONS: &[(Fault, &[&str])] = &[
    (Fault::Ignore(Op::Create), &["lifecycle.simplest"]),
    (Fault::Ignore(Op::Start), &["lifecycle.simplest"]),
    (Fault::Ignore(Op::Kill), &["lifecycle.kill"]),
    (Fault::Ignore(Op::Delete), &["lifecycle.delete"]),
    (Fault::Ignore(Op::State), &["lifecycle.state", "lifecycle.simplest"]),
    (Fault::Succeed(Op::Create), &["lifecycle.create", "config.json"]),
    (Fault::Succeed(Op::Start), &["lifecycle.start"]),
    (Fault::Succeed(Op::Kill), &["lifecycle.kill"]),
    (Fault::Succeed(Op::Delete), &["lifecycle.delete"]),
    (Fault::Succeed(Op::State), &["lifecycle.state", "lifecycle.delete"]),
    (Fault::Fail(Op::Create), &["lifecycle.simplest"]),
    (Fault::Fail(Op::Start), &["lifecycle.simplest"]),
    (Fault::Fail(Op::Kill), &["lifecycle.kill"]),
    (Fault::Fail(Op::Delete), &["lifecycle.simplest"]),
    (Fault::Fail(Op::State), &["lifecycle.state"]),
    (Fault::Hang(Op::Create), &["lifecycle.simplest"]),
    (Fault::Hang(Op::Start), &["lifecycle.simplest"]),
    (Fault::Hang(Op::State), &["lifecycle.state"]),
    (Fault::Hang(Op::Kill), &["lifecycle.kill"]),
    (Fault::Hang(Op::Delete), &["lifecycle.simplest"]),
    (Fault::Send(Signal::SIGCONT), &["lifecycle.kill"]),
    (Fault::Send(Signal::SIGKILL), &["lifecycle.kill"]),
    (Fault::Send(Signal::SIGTERM), &["lifecycle.kill"]),
    (Fault::Leave(Leftover::Cgroup), &["lifecycle.simplest", "lifecycle.delete"]),
    (Fault::Leave(Leftover::State), &["lifecycle.simplest", "lifecycle.delete"]),
    (Fault::Leave(Leftover::Mount), &["lifecycle.simplest", "lifecycle.delete"]),
    (Fault::Leave(Leftover::Process), &["lifecycle.simplest", "lifecycle.delete"]),
    (Fault::Leave(Leftover::File), &["lifecycle.files"]),
    (Fault::Leave(Leftover::HostFile), &["lifecycle.files"]),
    (Fault::Scribble, &["lifecycle.files"]),
    (Fault::DeleteForeign, &["lifecycle.delete"]),
    (Fault::WrongPid, &["lifecycle.create", "lifecycle.simplest"]),
    (Fault::MoveOut, &["linux.cgroups-path"]),
    (Fault::ExecOutside, &["process.exec"]),
    (Fault::EagerStart, &["lifecycle"]),
    (Fault::Flawed(Flaw::Descriptor), &["process.fds"]),
    (Fault::Flawed(Flaw::Blocked), &["process.signals"]),
    (Fault::Flawed(Flaw::Ignored), &["process.signals"]),
    (Fault::Flawed(Flaw::Mute), &["process.stdio"]),
    (Fault::Flawed(Flaw::Swapped), &["process.stdio"]),
    (Fault::Flawed(Flaw::Child), &["process.", "lifecycle.simplest"]),
    (Fault::Lie("/id", "\"other\""), &["lifecycle.state"]),
    (Fault::Lie("/pid", "1"), &["lifecycle.state"]),
    (Fault::Lie("/status", "\"stopped\""), &["lifecycle.state"]),
    (Fault::Lie("/bundle", "\"/\""), &["lifecycle.state"]),
    (Fault::Lie("/annotations", "{}"), &["lifecycle.annotations"]),
    (Fault::Lie("/ociVersion", "\"0.1.0\""), &["lifecycle.state"]),
    (Fault::Push("/process/env", "\"LEAK=1\""), &["process.env"]),
    (Fault::Push("/process/user/additionalGids", "4242"), &["process.user.groups"]),
    (Fault::Push("/process/capabilities/effective", "\"CAP_SYS_TIME\""), &["process.capabilities"]),
    (Fault::Push("/process/capabilities/bounding", "\"CAP_SYS_TIME\""), &["process.capabilities"]),
];

/// Mutants that no check can see, as patterns of what they do wrong, each with the reason.
#[must_use]
pub fn equivalent() -> &'static [(&'static str, &'static str)] {
    EQUIVALENT
}

const EQUIVALENT: &[(&str, &str)] = &[
    ("*/comExample*", "a property that the specification does not know has no meaning that could get lost"),
    ("* /com.example.unknown*", "a property that the specification does not know has no meaning that could get lost"),
    (
        "* /{HostName,Hostname,process/CWD,process/user/UID}",
        "names are case-sensitive, so this is one of those properties",
    ),
    ("* /", "a property that the specification does not know has no meaning that could get lost"),
    (
        "* /linux/seccomp/architectures*",
        "only a program of another architecture, or a runtime without the own one, would feel the list",
    ),
    ("reverses /linux/seccomp/syscalls/-/{args,names}", "all have to match, or any: the order says nothing"),
    ("* /linux/seccomp/flags*", "flags change what is logged and how the processor speculates, which no call shows"),
    ("reverses /process/capabilities/*", "a set has no order"),
    ("reverses /process/user/additionalGids", "a set has no order"),
    ("reverses /linux/namespaces", "each type is there once, so the order says nothing"),
    ("reverses /linux/?idMappings", "ranges do not overlap, so their order says nothing"),
    ("reverses /linux/{masked,readonly}Paths", "the end is the same in either order"),
    ("reverses /mounts/-/options", "no two options of these cases contradict each other, so the order says nothing"),
    ("reverses /linux/resources/blockIO/*", "the devices differ, so the order says nothing"),
    ("reverses /linux/devices", "the paths differ, so the order says nothing"),
    ("* /process/capabilities/effective", "execve(2) computes the effective set anew from the others"),
    ("* /process/execCPUAffinity*", "it is for exec; the check is that it does nothing to the container's process"),
    ("{drops,empties} /linux/resources", "the cases that set all of it set empty objects, which ask for nothing"),
    (
        "drops /linux/resources/{hugepageLimits,network,rdma,unified}",
        "the cases set an empty object, which asks for nothing; those that set more need other control groups",
    ),
    ("drops /linux/resources/devices/0", "of rules that deny all at first; seen unless no rule at all denies all, too"),
    (
        "replaces /linux/resources/devices/-/access",
        "a letter more, beside those that are asked for: seen only where an unknown letter is refused",
    ),
    (
        "drops /linux/resources/cpu/mems",
        "of one node of memory each group of version 1 has that; with version 2 the drop is seen",
    ),
    (
        "* /linux/resources/memory/useHierarchy",
        "kernels since 5.11 always count children, so that neither word changes anything",
    ),
    ("drops /linux/mountLabel", "the case sets an empty label, which asks for nothing"),
    ("drops /linux/personality/flags", "the case sets an empty list, which asks for nothing"),
    ("drops /mounts/0/options", "the case sets an empty list, which asks for nothing"),
    ("* /ociVersion", "a runtime looks at it only to refuse; the checks of that declare mutants of their own"),
    ("* /mounts/-/source", "the name of a filesystem without a source; for bind mounts others see it"),
    ("* /mounts/-/?idMappings/-/size", "no file of these cases belongs to the last id of the range"),
    ("drops /mounts/-/?idMappings/-/containerID", "a missing number reads as 0, which is the one that was set"),
    ("replaces /linux/mountLabel", "without SELinux a label has no effect; with it the case is refused"),
    ("replaces /linux/devices/-/type", "seen only where an unknown type is refused, which has checks of its own"),
    ("{drops,empties} /mounts", "seen only where the default filesystems are not made without being asked for"),
    ("drops /mounts/{0,2}", "seen only where the default filesystems are not made without being asked for"),
    (
        "reads /mounts/3/destination as *",
        "seen only where the default filesystems are not made without being asked for",
    ),
    ("reads /mounts/6/options/1 as \"plimsoll-knows-no-such-option\"", "seen only where an unknown option is refused"),
    ("reads /mounts/6/options/1 as \"private\"", "seen only where options of propagation have an effect at all"),
    ("reads /mounts/6/options/0 as \"shared\"", "seen only where options of propagation have an effect at all"),
    ("reads /linux/rootfsPropagation as \"slave\"", "seen only where the runtime gives `slave` at all"),
];

/// The mutants of what a case sets.
fn derived(check: &Check) -> BTreeSet<Fault> {
    let Body::Case(case) = check.body else { return BTreeSet::new() };
    let recipe = batch::recipe(case);
    let config = recipe.config();
    let mut found = BTreeSet::new();
    for edit in &recipe.edits {
        match edit {
            // A value that was set over is not there any more.
            Edit::Set(pointer, value) if config.get(pointer) == Some(value) => changes(pointer, value, &mut found),
            Edit::Push(pointer, value) if is_last(&config, pointer, value) => {
                found.insert(Fault::Value(fixed(pointer), ValueFault::Shorten));
                changes(&format!("{pointer}/-"), value, &mut found);
            }
            _ => {}
        }
    }
    found
}

fn is_last(config: &Config, pointer: &str, value: &Value) -> bool {
    config.list(pointer).last() == Some(value)
}

/// Each way to get this value, or a part of it, wrong.
fn changes(pointer: &str, value: &Value, found: &mut BTreeSet<Fault>) {
    found.insert(Fault::Value(fixed(pointer), ValueFault::Drop));
    let apply = ValueFault::OF_VALUES.into_iter().filter(|change| change.of(value).is_some());
    found.extend(apply.map(|change| Fault::Value(fixed(pointer), change)));
    for (name, inner) in value.as_object().into_iter().flatten() {
        changes(&format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), inner, found);
    }
    if let Some(inner) = value.as_array().and_then(|items| items.last()).filter(|last| last.is_object()) {
        changes(&format!("{pointer}/-"), inner, found);
    }
}

/// A pointer that lives as long as the program, as those do that are written in it. There are a few hundred.
fn fixed(pointer: &str) -> &'static str {
    String::leak(pointer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_mutants_of_many_kinds_each_once() {
        let checks = crate::all();
        let mutants = of(&checks.iter().collect::<Vec<_>>());
        let ids: BTreeSet<String> = mutants.iter().map(|mutant| mutant.fault.to_string()).collect();
        let groups: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.fault.group()).collect();
        assert_eq!(ids.len(), mutants.len());
        assert!(mutants.len() > 200 && groups.len() > 12, "{} mutants, {groups:?}", mutants.len());
    }

    #[test]
    fn every_mutant_could_be_seen_by_some_check() {
        let checks = crate::all();
        for mutant in of(&checks.iter().collect::<Vec<_>>()) {
            assert!(!(mutant.declared_by.is_empty() && mutant.shown_by.is_empty()), "{}", mutant.fault);
        }
    }
}
