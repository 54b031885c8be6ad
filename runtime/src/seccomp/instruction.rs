//! Classic BPF: instructions, and programs made of them.

use std::collections::HashMap;

/// One instruction, in the layout of `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) code: u16,
    /// How many instructions to skip when a test holds.
    pub(super) if_true: u8,
    /// How many instructions to skip when it does not.
    pub(super) if_false: u8,
    pub(super) operand: u32,
}

// Operation codes of linux/bpf_common.h, put together from class, mode and source.
pub(super) const LOAD: u16 = 0x20;
pub(super) const AND: u16 = 0x54;
pub(super) const JUMP: u16 = 0x05;
pub(super) const IF_EQUAL: u16 = 0x15;
pub(super) const IF_GREATER: u16 = 0x25;
pub(super) const IF_GREATER_OR_EQUAL: u16 = 0x35;
pub(super) const RETURN: u16 = 0x06;

// Offsets in `struct seccomp_data`.
pub(super) const NUMBER: u32 = 0;
pub(super) const ARCH: u32 = 4;
pub(super) const ARGUMENTS: u32 = 16;

/// A place in a program that can be jumped to: how many instructions there are from it to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A program that is written from its end to its start. Jumps only lead forward, so whatever one leads to has been
/// written before, and its distance is known.
#[derive(Debug, Default)]
pub(super) struct Backwards {
    reversed: Vec<Instruction>,
    returns: HashMap<u32, Label>,
}

impl Backwards {
    /// The place of the instruction that was written last.
    pub(super) fn here(&self) -> Label {
        Label(self.reversed.len())
    }

    fn distance(&self, to: Label) -> usize {
        self.reversed.len() - to.0
    }

    /// Writes an instruction that goes on to the one before it in time.
    pub(super) fn put(&mut self, code: u16, operand: u32) -> Label {
        self.reversed.push(Instruction { code, if_true: 0, if_false: 0, operand });
        self.here()
    }

    /// Makes what is written next go on to a place, whatever stands between.
    pub(super) fn go_on_to(&mut self, to: Label) {
        if to != self.here() {
            self.put(JUMP, u32::try_from(self.distance(to)).unwrap_or(u32::MAX));
        }
    }

    /// A return of a value: one that is near enough already, else a new one.
    pub(super) fn end(&mut self, value: u32) -> Label {
        const NEAR: usize = 128;
        if let Some(known) = self.returns.get(&value).filter(|known| self.distance(**known) < NEAR) {
            return *known;
        }
        let label = self.put(RETURN, value);
        self.returns.insert(value, label);
        label
    }

    /// A test that leads to one of two places.
    pub(super) fn branch(&mut self, code: u16, operand: u32, yes: Label, no: Label) -> Label {
        // Both are brought near first: a second jump moves the test further away from the first by one only.
        let (yes, no) = (self.near(yes), self.near(no));
        let byte = |distance: usize| u8::try_from(distance).unwrap_or(u8::MAX);
        let (if_true, if_false) = (byte(self.distance(yes)), byte(self.distance(no)));
        self.reversed.push(Instruction { code, if_true, if_false, operand });
        self.here()
    }

    /// The place itself when a test reaches it, else a jump to it: tests reach 255 instructions, one of which may be
    /// such a jump for the other outcome.
    fn near(&mut self, to: Label) -> Label {
        const REACH: usize = 254;
        match self.distance(to) {
            ..=REACH => to,
            // The kernel limits programs to 4096 instructions, so every distance fits.
            far => self.put(JUMP, u32::try_from(far).unwrap_or(u32::MAX)),
        }
    }

    /// The program, from its start.
    pub(super) fn finish(mut self) -> Vec<Instruction> {
        self.reversed.reverse();
        self.reversed
    }
}
