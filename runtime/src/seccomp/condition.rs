//! Conditions on arguments: comparisons of 64 bits with a machine of 32.

use super::instruction::{AND, ARGUMENTS, Backwards, IF_EQUAL, IF_GREATER, IF_GREATER_OR_EQUAL, LOAD, Label};
use crate::config::{Argument, Operator};

/// Writes code that goes to `hit` when all conditions hold and to `miss` when one does not.
pub(super) fn all(program: &mut Backwards, arguments: &[Argument], big_endian: bool, hit: Label, miss: Label) -> Label {
    arguments.iter().rev().fold(hit, |next, argument| one(program, argument, big_endian, next, miss))
}

/// High and low half.
fn halves(value: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what remains")]
    let low = value as u32;
    let high = (value >> 32) as u32;
    (high, low)
}

fn one(program: &mut Backwards, argument: &Argument, big_endian: bool, hit: Label, miss: Label) -> Label {
    let at = ARGUMENTS + 8 * argument.index;
    let (high_at, low_at) = if big_endian { (at, at + 4) } else { (at + 4, at) };
    let (high, low) = halves(argument.value);
    // The low halves decide when the high ones are equal; so their test is what comes after.
    let mut ordered = |code, above, below| {
        program.branch(code, low, above, below);
        let equal = program.put(LOAD, low_at);
        let not_above = program.branch(IF_EQUAL, high, equal, below);
        program.branch(IF_GREATER, high, above, not_above);
        program.put(LOAD, high_at)
    };
    match argument.op {
        Operator::Greater => ordered(IF_GREATER, hit, miss),
        Operator::GreaterOrEqual => ordered(IF_GREATER_OR_EQUAL, hit, miss),
        Operator::Less => ordered(IF_GREATER_OR_EQUAL, miss, hit),
        Operator::LessOrEqual => ordered(IF_GREATER, miss, hit),
        Operator::Equal => equal(program, [(high_at, None, high), (low_at, None, low)], hit, miss),
        Operator::NotEqual => equal(program, [(high_at, None, high), (low_at, None, low)], miss, hit),
        Operator::MaskedEqual => {
            let (wanted_high, wanted_low) = halves(argument.value_two);
            equal(program, [(high_at, Some(high), wanted_high), (low_at, Some(low), wanted_low)], hit, miss)
        }
    }
}

/// Compares both halves, each given by its offset, the mask if there is one, and the value.
fn equal(program: &mut Backwards, halves: [(u32, Option<u32>, u32); 2], hit: Label, miss: Label) -> Label {
    halves.into_iter().rev().fold(hit, |next, (offset, mask, value)| {
        program.branch(IF_EQUAL, value, next, miss);
        if let Some(mask) = mask {
            program.put(AND, mask);
        }
        program.put(LOAD, offset)
    })
}
