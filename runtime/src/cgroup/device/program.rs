//! The rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE: bpf(2), kernel documentation `bpf/prog_cgroup_device`.
//!
//! The program looks at the rules from the last to the first and keeps, in a register, the bits of the access that are
//! not yet allowed. A rule that denies one of them ends it with 0; when none is left it ends with 1.
//!
//! The kernel follows every branch before it takes a program, and that is most of what the device rules cost a start. So
//! rules of one class in a row share the test of the class, both numbers are compared at once, and a rule that allows every
//! access asks for none.

use super::policy::{ALL, Policy, Rule};
use crate::config::DeviceClass;

/// One instruction, in the layout of `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cgroup) struct Instruction {
    code: u8,
    /// Destination register in the low half, source register in the high half.
    registers: u8,
    offset: i16,
    immediate: i32,
}

// Operation codes of linux/bpf_common.h and linux/bpf.h, put together from class, source and operation.
const LOAD_WORD: u8 = 0x61;
const MOVE: u8 = 0xb4;
const MOVE_REGISTER: u8 = 0xbc;
const AND: u8 = 0x54;
const SHIFT_LEFT: u8 = 0x64;
const SHIFT_RIGHT: u8 = 0x74;
const OR_REGISTER: u8 = 0x4c;
const JUMP: u8 = 0x05;
const JUMP_UNLESS_EQUAL: u8 = 0x56;
const JUMP_IF_SET: u8 = 0x46;
const EXIT: u8 = 0x95;

// Registers: the kernel passes the context in 1 and takes the verdict from 0.
const VERDICT: u8 = 0;
const CONTEXT: u8 = 1;
const CLASS: u8 = 2;
const PENDING: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
/// Both numbers in one, as the kernel keeps them: the minor in the low 20 bits.
const NUMBERS: u8 = 6;
const MINOR_BITS: u32 = 20;

// `BPF_DEVCG_DEV_BLOCK` and `BPF_DEVCG_DEV_CHAR`.
const BLOCK: u32 = 1;
const CHARACTER: u32 = 2;

fn on(code: u8, register: u8, immediate: u32) -> Instruction {
    jump(code, register, immediate, 0)
}

fn jump(code: u8, register: u8, immediate: u32, offset: i16) -> Instruction {
    Instruction { code, registers: register, offset, immediate: immediate.cast_signed() }
}

fn end(verdict: bool) -> [Instruction; 2] {
    [on(MOVE, VERDICT, u32::from(verdict)), on(EXIT, 0, 0)]
}

/// `struct bpf_cgroup_dev_ctx`: class in the low and access in the high half of the first word, then the numbers.
fn prologue() -> [Instruction; 9] {
    let load = |register, offset| Instruction { offset, ..on(LOAD_WORD, register | CONTEXT << 4, 0) };
    [
        load(CLASS, 0),
        on(MOVE_REGISTER, PENDING | CLASS << 4, 0),
        on(SHIFT_RIGHT, PENDING, 16),
        on(AND, CLASS, 0xffff),
        load(MAJOR, 4),
        load(MINOR, 8),
        on(MOVE_REGISTER, NUMBERS | MAJOR << 4, 0),
        on(SHIFT_LEFT, NUMBERS, MINOR_BITS),
        on(OR_REGISTER, NUMBERS | MINOR << 4, 0),
    ]
}

/// Compiles a policy.
pub(super) fn compile(policy: &Policy) -> Vec<Instruction> {
    let rules = policy.effective();
    let mut program = prologue().to_vec();
    let (base, specific) = match rules.split_first() {
        Some((first, rest)) if first.is_blanket() => (first.allow, rest),
        _ => (true, rules),
    };
    // A jump reaches 32767 instructions far, and a rule takes at most eight.
    let runs = specific.chunk_by(|one, next| one.class == next.class).rev().flat_map(|run| run.rchunks(1024));
    runs.for_each(|run| program.extend(of_one_class(run)));
    program.extend(end(base));
    program
}

/// Decides by rules of the same class, or falls through to what follows.
fn of_one_class(rules: &[Rule]) -> Vec<Instruction> {
    let class = rules.first().and_then(|rule| match rule.class {
        DeviceClass::All => None,
        DeviceClass::Block => Some(BLOCK),
        DeviceClass::Character => Some(CHARACTER),
    });
    // What stands before a rule for the whole class is never asked, and the kernel refuses what cannot be reached.
    let first = rules.iter().rposition(decides_all).unwrap_or(0);
    let decided: Vec<_> = rules[first..].iter().rev().flat_map(decide).collect();
    unless_equal(class.map(|class| (CLASS, class)), decided)
}

/// Whether the rule ends the program for every device of its class.
fn decides_all(rule: &Rule) -> bool {
    rule.allow && rule.access == ALL && rule.major.is_none() && rule.minor.is_none()
}

/// Passes over `then` unless the register has the value.
fn unless_equal(condition: Option<(u8, u32)>, then: Vec<Instruction>) -> Vec<Instruction> {
    let Some((register, wanted)) = condition else { return then };
    let over = i16::try_from(then.len()).unwrap_or(i16::MAX);
    [jump(JUMP_UNLESS_EQUAL, register, wanted, over)].into_iter().chain(then).collect()
}

/// Decides by the numbers and the access of one rule.
fn decide(rule: &Rule) -> Vec<Instruction> {
    let effect = match (rule.allow, rule.access) {
        (true, ALL) => end(true).to_vec(),
        (true, access) => {
            [on(AND, PENDING, !access), jump(JUMP_UNLESS_EQUAL, PENDING, 0, 2)].into_iter().chain(end(true)).collect()
        }
        (false, access) => {
            [jump(JUMP_IF_SET, PENDING, access, 1), jump(JUMP, 0, 0, 2)].into_iter().chain(end(false)).collect()
        }
    };
    match (rule.major, rule.minor) {
        (Some(major), Some(minor)) if major >> (32 - MINOR_BITS) == 0 && minor >> MINOR_BITS == 0 => {
            unless_equal(Some((NUMBERS, major << MINOR_BITS | minor)), effect)
        }
        (major, minor) => {
            let effect = unless_equal(minor.map(|minor| (MINOR, minor)), effect);
            unless_equal(major.map(|major| (MAJOR, major)), effect)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::policy::reading::{Access, accesses, allows, policies, policy};
    use super::*;

    /// Interprets the few operations that a program consists of.
    fn run(program: &[Instruction], access: Access) -> bool {
        let class = if access.class == DeviceClass::Block { BLOCK } else { CHARACTER };
        let context = [access.bits << 16 | class, access.major, access.minor];
        let mut registers = [0_u32; 11];
        let mut at = 0_usize;
        loop {
            let instruction = program[at];
            let (to, from) = (usize::from(instruction.registers & 15), usize::from(instruction.registers >> 4));
            let immediate = instruction.immediate.cast_unsigned();
            let mut taken = false;
            match instruction.code {
                LOAD_WORD => registers[to] = context[usize::try_from(instruction.offset).unwrap() / 4],
                MOVE => registers[to] = immediate,
                MOVE_REGISTER => registers[to] = registers[from],
                AND => registers[to] &= immediate,
                SHIFT_LEFT => registers[to] <<= immediate,
                SHIFT_RIGHT => registers[to] >>= immediate,
                OR_REGISTER => registers[to] |= registers[from],
                JUMP => taken = true,
                JUMP_UNLESS_EQUAL => taken = registers[to] != immediate,
                JUMP_IF_SET => taken = registers[to] & immediate != 0,
                EXIT => return registers[0] == 1,
                other => panic!("operation {other:#x} at {at}"),
            }
            at += 1 + if taken { usize::try_from(instruction.offset).unwrap() } else { 0 };
        }
    }

    /// Whether a way leads to each instruction; the kernel refuses a program where none does.
    fn all_are_reached(program: &[Instruction]) -> bool {
        let mut reached = vec![false; program.len()];
        let mut ways = vec![0];
        while let Some(at) = ways.pop() {
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let over = at + 1 + usize::try_from(program[at].offset).unwrap();
            match program[at].code {
                EXIT => {}
                JUMP => ways.push(over),
                JUMP_UNLESS_EQUAL | JUMP_IF_SET => ways.extend([at + 1, over]),
                _ => ways.push(at + 1),
            }
        }
        reached.into_iter().all(|reached| reached)
    }

    /// The verifier of the kernel follows both ways of each.
    fn branches(program: &[Instruction]) -> usize {
        program.iter().filter(|instruction| matches!(instruction.code, JUMP_UNLESS_EQUAL | JUMP_IF_SET)).count()
    }

    #[test]
    fn the_default_devices_take_a_branch_each_and_one_for_their_class() {
        assert_eq!(branches(&compile(&policy(r#"[{"allow":false,"access":"rwm"}]"#))), 10);
    }

    #[test]
    fn numbers_that_no_device_has_match_none() {
        let program = compile(&policy(r#"[{"allow":false,"type":"c","major":1,"minor":1048579}]"#));
        let null = Access { class: DeviceClass::Character, major: 1, minor: 3, bits: 7 };
        let next = Access { major: 2, ..null };
        assert!([null, next].into_iter().all(|access| run(&program, access)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_program_decides_like_a_plain_reading(policy in policies(), uses in prop::collection::vec(accesses(), 8)) {
            let program = compile(&policy);
            prop_assert!(all_are_reached(&program));
            for access in uses {
                prop_assert_eq!(run(&program, access), allows(&policy, access), "{:?}", access);
            }
        }
    }
}
