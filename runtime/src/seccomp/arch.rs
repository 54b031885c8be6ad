//! Architectures: what the kernel calls them, and which of them one kernel serves.

use crate::config::Arch;

/// How a filter sees an architecture.
pub(super) struct Abi {
    /// `AUDIT_ARCH_…` of linux/audit.h.
    pub(super) token: u32,
    /// A bit that all numbers of system calls have, beyond those of the table.
    pub(super) bit: u32,
}

/// Set in the numbers of x32, whose token is that of x86-64.
pub(super) const X32_BIT: u32 = 0x4000_0000;

const LITTLE: u32 = 0x4000_0000;
const WIDE: u32 = 0x8000_0000;
const N32: u32 = 0x2000_0000;

/// The way an architecture shows itself to a filter. Numbers are those of linux/elf-em.h.
pub(super) fn abi(arch: Arch) -> Abi {
    let token = match arch {
        Arch::X86 => 3 | LITTLE,
        Arch::X86_64 | Arch::X32 => 62 | WIDE | LITTLE,
        Arch::Arm => 40 | LITTLE,
        Arch::Aarch64 => 183 | WIDE | LITTLE,
        Arch::Mips => 8,
        Arch::Mips64 => 8 | WIDE,
        Arch::Mips64N32 => 8 | WIDE | N32,
        Arch::Mipsel => 8 | LITTLE,
        Arch::Mipsel64 => 8 | WIDE | LITTLE,
        Arch::Mipsel64N32 => 8 | WIDE | LITTLE | N32,
        Arch::Ppc => 20,
        Arch::Ppc64 => 21 | WIDE,
        Arch::Ppc64le => 21 | WIDE | LITTLE,
        Arch::S390 => 22,
        Arch::S390x => 22 | WIDE,
        Arch::Parisc => 15,
        Arch::Parisc64 => 15 | WIDE,
        Arch::Riscv64 => 243 | WIDE | LITTLE,
        Arch::Loongarch64 => 258 | WIDE | LITTLE,
        Arch::M68k => 4,
        Arch::Sh => 42 | LITTLE,
        Arch::Sheb => 42,
    };
    Abi { token, bit: if arch == Arch::X32 { X32_BIT } else { 0 } }
}

/// Whether a kernel of `native` can come to see system calls of `arch` at all. For any other a filter needs no code:
/// were such a call possible, it would be killed like every call of an architecture that the profile does not list.
pub(super) fn serves(native: Arch, arch: Arch) -> bool {
    const FAMILIES: &[&[Arch]] = &[
        &[Arch::X86_64, Arch::X86, Arch::X32],
        &[Arch::Aarch64, Arch::Arm],
        &[Arch::Mips64, Arch::Mips64N32, Arch::Mips],
        &[Arch::Mipsel64, Arch::Mipsel64N32, Arch::Mipsel],
        &[Arch::Ppc64, Arch::Ppc],
        &[Arch::S390x, Arch::S390],
        &[Arch::Parisc64, Arch::Parisc],
    ];
    native == arch || FAMILIES.iter().any(|family| family.contains(&native) && family.contains(&arch))
}

/// Whether the high half of a 64-bit argument comes first in memory.
pub(super) fn is_big_endian(arch: Arch) -> bool {
    abi(arch).token & LITTLE == 0
}

/// The architecture that this program runs on.
pub fn native() -> Arch {
    let big = cfg!(target_endian = "big");
    match std::env::consts::ARCH {
        "x86" => Arch::X86,
        "arm" => Arch::Arm,
        "aarch64" => Arch::Aarch64,
        "mips" if big => Arch::Mips,
        "mips" => Arch::Mipsel,
        "mips64" if big => Arch::Mips64,
        "mips64" => Arch::Mipsel64,
        "powerpc" => Arch::Ppc,
        "powerpc64" if big => Arch::Ppc64,
        "powerpc64" => Arch::Ppc64le,
        "s390x" => Arch::S390x,
        "riscv64" => Arch::Riscv64,
        "loongarch64" => Arch::Loongarch64,
        _ => Arch::X86_64,
    }
}
