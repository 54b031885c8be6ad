//! From a profile to a program.
//!
//! Numbers of system calls that are decided alike form ranges; a binary search finds the range. So a profile of some
//! 400 calls costs a call about eight comparisons, where a list would cost it hundreds.

use std::collections::HashMap;

use super::action::{KILL_PROCESS, value};
use super::arch::{X32_BIT, abi, is_big_endian, serves};
use super::instruction::{ARCH, Backwards, IF_EQUAL, IF_GREATER_OR_EQUAL, Instruction, LOAD, Label, NUMBER};
use super::{condition, multiplexer, table};
use crate::config::{Action, Arch, Argument, Seccomp, SyscallRule};

/// What becomes of a system call: the value of the first entry whose conditions all hold, else the last value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    entries: Vec<(Vec<Argument>, u32)>,
    otherwise: u32,
}

impl Decision {
    fn always(value: u32) -> Self {
        Self { entries: Vec::new(), otherwise: value }
    }

    fn write(&self, program: &mut Backwards, big_endian: bool) -> Label {
        let otherwise = program.end(self.otherwise);
        self.entries.iter().rev().fold(otherwise, |miss, (conditions, value)| {
            let hit = program.end(*value);
            condition::all(program, conditions, big_endian, hit, miss)
        })
    }
}

/// The rules of a profile, by the name of the system call.
struct Rules<'a> {
    by_name: HashMap<&'a str, Vec<&'a SyscallRule>>,
    default: u32,
    /// What becomes of calls that are newer than the profile.
    newer: u32,
}

impl<'a> Rules<'a> {
    fn new(profile: &'a Seccomp) -> Self {
        let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
        for rule in &profile.syscalls {
            for name in &rule.names {
                by_name.entry(name.as_str()).or_default().push(rule);
            }
        }
        let default = value(profile.default_action, profile.default_errno_ret);
        let permits = matches!(profile.default_action, Action::Allow | Action::Log | Action::Trace);
        let newer = if permits { default } else { value(Action::Errno, Some(libc::ENOSYS.unsigned_abs())) };
        Self { by_name, default, newer }
    }

    /// Whether the profile has rules for a call, or for one behind it.
    fn know(&self, name: &str) -> bool {
        let has_some = |name: &str| !self.of(name).is_empty();
        has_some(name) || multiplexer::behind(name).any(|(_, behind)| has_some(behind))
    }

    fn of(&self, name: &str) -> &[&'a SyscallRule] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// A rule without conditions goes before those with some, wherever it stands: so all runtimes have it.
    fn unconditional(&self, name: &str) -> Option<u32> {
        let rule = self.of(name).iter().find(|rule| rule.args.is_empty());
        rule.map(|rule| value(rule.action, rule.errno_ret))
    }

    fn decide(&self, name: &str) -> Decision {
        if let Some(value) = self.unconditional(name) {
            return Decision::always(value);
        }
        let rules = self.of(name).iter();
        let own = rules.flat_map(|rule| {
            let value = value(rule.action, rule.errno_ret);
            alternatives(&rule.args).into_iter().map(move |conditions| (conditions, value))
        });
        let behind = multiplexer::behind(name);
        let behind = behind.filter_map(|(condition, name)| Some((vec![condition], self.unconditional(name)?)));
        Decision { entries: own.chain(behind).collect(), otherwise: self.default }
    }
}

/// Conditions hold together, unless two are on one argument: then each stands alone, so all runtimes have it.
fn alternatives(args: &[Argument]) -> Vec<Vec<Argument>> {
    let repeated = (0..6).any(|index| args.iter().filter(|argument| argument.index == index).count() > 1);
    if repeated { args.iter().map(|argument| vec![*argument]).collect() } else { vec![args.to_vec()] }
}

/// Compiles a profile for a kernel of the `native` architecture.
pub(super) fn compile(profile: &Seccomp, native: Arch) -> Vec<Instruction> {
    let rules = Rules::new(profile);
    let mut archs = vec![native];
    archs.extend(profile.architectures.iter().filter(|arch| serves(native, **arch)));
    let mut tokens: Vec<_> = archs.iter().map(|arch| abi(*arch).token).collect();
    tokens.sort_unstable();
    tokens.dedup();
    // The native architecture is asked for first, so its code is written last.
    tokens.sort_by_key(|token| *token == abi(native).token);
    let mut program = Backwards::default();
    let foreign = program.end(KILL_PROCESS);
    tokens.into_iter().fold(foreign, |rest, token| {
        let same: Vec<_> = archs.iter().copied().filter(|arch| abi(*arch).token == token).collect();
        let block = block(&mut program, &rules, &same, is_big_endian(native));
        program.branch(IF_EQUAL, token, block, rest)
    });
    program.put(LOAD, ARCH);
    program.finish()
}

/// The code for the architectures of one token.
fn block(program: &mut Backwards, rules: &Rules<'_>, archs: &[Arch], big_endian: bool) -> Label {
    let mut decisions: Vec<(u32, Decision)> = Vec::with_capacity(1024);
    let mut newest = None;
    for arch in archs {
        let bit = abi(*arch).bit;
        table::for_each(*arch, |number, name| {
            decisions.push((number | bit, rules.decide(name)));
            if bit == 0 && rules.know(name) {
                newest = newest.max(Some(number));
            }
        });
    }
    decisions.sort_by_key(|(number, _)| *number);
    decisions.dedup_by_key(|(number, _)| *number);
    let found = search(program, &ranges(&decisions, rules, newest, archs), big_endian);
    program.go_on_to(found);
    program.put(LOAD, NUMBER)
}

/// The first number of each range and its decision, from 0 to the end of all numbers. What no table has gets the
/// default; only numbers of x32 are killed when a profile for x86-64 does not list it, since its calls would reach the
/// same code in the kernel under other numbers. -1 is no call at all, but what a tracer puts for a call to be skipped.
///
/// Above the `newest` call that the profile knows there are those that its author could not know: a C library tries them, and does
/// without one that is not there, but takes no other error for that.
fn ranges(
    decisions: &[(u32, Decision)],
    rules: &Rules<'_>,
    newest: Option<u32>,
    archs: &[Arch],
) -> Vec<(u32, Decision)> {
    let has_x32 = archs.iter().any(|arch| matches!(arch, Arch::X86_64 | Arch::X32));
    let kills_x32 = archs.contains(&Arch::X86_64) && !archs.contains(&Arch::X32);
    let unknown = Decision::always(rules.default);
    let end = if has_x32 { X32_BIT } else { u32::MAX };
    let newer = newest.map_or(end, |newest| newest + 1);
    let (usual, of_x32) = decisions.split_at(decisions.partition_point(|(number, _)| *number < end));
    let old = &usual[..usual.partition_point(|(number, _)| *number < newer)];
    let mut ranges = Ranges(vec![(0, unknown.clone())]);
    ranges.cover(old, &unknown);
    ranges.begin(newer, &Decision::always(rules.newer));
    ranges.begin(end, &unknown);
    if kills_x32 {
        ranges.begin(end, &Decision::always(KILL_PROCESS));
        ranges.begin(u32::MAX, &unknown);
    } else {
        ranges.cover(of_x32, &unknown);
    }
    ranges.0
}

/// Ranges in order, each with its first number and its decision.
struct Ranges(Vec<(u32, Decision)>);

impl Ranges {
    /// One after another, and between them what is for all others.
    fn cover(&mut self, decisions: &[(u32, Decision)], others: &Decision) {
        for (index, (number, decision)) in decisions.iter().enumerate() {
            self.begin(*number, decision);
            let next = decisions.get(index + 1).map(|(next, _)| *next);
            if next != number.checked_add(1) {
                self.begin(number + 1, others);
            }
        }
    }

    fn begin(&mut self, at: u32, decision: &Decision) {
        if self.0.last().is_some_and(|(start, _)| *start == at) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|(_, last)| last != decision) {
            self.0.push((at, decision.clone()));
        }
    }
}

/// Binary search over the ranges.
fn search(program: &mut Backwards, ranges: &[(u32, Decision)], big_endian: bool) -> Label {
    if let [(_, only)] = ranges {
        return only.write(program, big_endian);
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let above = search(program, high, big_endian);
    let below = search(program, low, big_endian);
    program.branch(IF_GREATER_OR_EQUAL, high[0].0, above, below)
}
