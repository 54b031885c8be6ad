//! The rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE: bpf(2), kernel documentation `bpf/prog_cgroup_device`.
//!
//! The program looks at the rules from the last to the first and keeps, in a register, the bits of the access that are
//! not yet allowed. A rule that denies one of them ends it with 0; when none is left it ends with 1.

use super::policy::{Policy, Rule};
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
const SHIFT_RIGHT: u8 = 0x74;
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
fn prologue() -> [Instruction; 6] {
    let load = |register, offset| Instruction { offset, ..on(LOAD_WORD, register | CONTEXT << 4, 0) };
    [
        load(CLASS, 0),
        on(MOVE_REGISTER, PENDING | CLASS << 4, 0),
        on(SHIFT_RIGHT, PENDING, 16),
        on(AND, CLASS, 0xffff),
        load(MAJOR, 4),
        load(MINOR, 8),
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
    specific.iter().rev().for_each(|rule| program.extend(decide(rule)));
    program.extend(end(base));
    program
}

/// Decides by one rule, or falls through to what follows.
fn decide(rule: &Rule) -> Vec<Instruction> {
    let effect = if rule.allow {
        let mut effect = vec![on(AND, PENDING, !rule.access), jump(JUMP_UNLESS_EQUAL, PENDING, 0, 2)];
        effect.extend(end(true));
        effect
    } else {
        let mut effect = vec![jump(JUMP_IF_SET, PENDING, rule.access, 1), jump(JUMP, 0, 0, 2)];
        effect.extend(end(false));
        effect
    };
    let class = match rule.class {
        DeviceClass::All => None,
        DeviceClass::Block => Some(BLOCK),
        DeviceClass::Character => Some(CHARACTER),
    };
    let conditions = [(CLASS, class), (MAJOR, rule.major), (MINOR, rule.minor)];
    let conditions: Vec<_> =
        conditions.into_iter().filter_map(|(register, wanted)| Some((register, wanted?))).collect();
    let count = conditions.len();
    let skips = conditions.into_iter().enumerate().map(|(index, (register, wanted))| {
        let rest = count - 1 - index + effect.len();
        jump(JUMP_UNLESS_EQUAL, register, wanted, i16::try_from(rest).unwrap_or(i16::MAX))
    });
    skips.chain(effect.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::policy::reading::{Access, accesses, allows, policies};
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
                SHIFT_RIGHT => registers[to] >>= immediate,
                JUMP => taken = true,
                JUMP_UNLESS_EQUAL => taken = registers[to] != immediate,
                JUMP_IF_SET => taken = registers[to] & immediate != 0,
                EXIT => return registers[0] == 1,
                other => panic!("operation {other:#x} at {at}"),
            }
            at += 1 + if taken { usize::try_from(instruction.offset).unwrap() } else { 0 };
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn a_program_decides_like_a_plain_reading(policy in policies(), uses in prop::collection::vec(accesses(), 8)) {
            let program = compile(&policy);
            for access in uses {
                prop_assert_eq!(run(&program, access), allows(&policy, access), "{:?}", access);
            }
        }
    }
}
