//! Numbers and names of system calls, from the crate `syscalls`, with what it leaves out.

use crate::config::Arch;

/// Calls `each` with every system call of an architecture: its number and name. An architecture without a table has
/// none; programs for it are then killed at their first call, as if the profile did not list it.
pub(super) fn for_each(arch: Arch, mut each: impl FnMut(u32, &'static str)) {
    dispatch(arch, &mut each);
}

fn dispatch(arch: Arch, each: &mut dyn FnMut(u32, &'static str)) {
    // The iterator of the crate ends one before the last entry, so the numbers are counted here.
    macro_rules! all {
        ($arch:ident) => {{
            use syscalls::$arch::Sysno;
            let numbers = Sysno::first().id()..=Sysno::last().id();
            for call in numbers.filter_map(|number| Sysno::new(usize::try_from(number).ok()?)) {
                each(call.id().unsigned_abs(), call.name());
            }
        }};
    }
    match arch {
        Arch::X86 => all!(x86),
        Arch::X86_64 => all!(x86_64),
        Arch::X32 => x32(each),
        Arch::Arm => {
            all!(arm);
            ARM_PRIVATE.iter().for_each(|(number, name)| each(*number, name));
        }
        Arch::Aarch64 => all!(aarch64),
        Arch::Mips | Arch::Mipsel => all!(mips),
        Arch::Mips64 | Arch::Mipsel64 => all!(mips64),
        Arch::Ppc => all!(powerpc),
        Arch::Ppc64 | Arch::Ppc64le => all!(powerpc64),
        Arch::S390x => all!(s390x),
        Arch::Riscv64 => all!(riscv64),
        Arch::Loongarch64 => all!(loongarch64),
        Arch::Mips64N32
        | Arch::Mipsel64N32
        | Arch::S390
        | Arch::Parisc
        | Arch::Parisc64
        | Arch::M68k
        | Arch::Sh
        | Arch::Sheb => {}
    }
}

/// Calls outside of the table of 32-bit Arm: `arch/arm/include/uapi/asm/unistd.h`.
const ARM_PRIVATE: [(u32, &str); 6] = [
    (0x000f_0001, "breakpoint"),
    (0x000f_0002, "cacheflush"),
    (0x000f_0003, "usr26"),
    (0x000f_0004, "usr32"),
    (0x000f_0005, "set_tls"),
    (0x000f_0006, "get_tls"),
];

/// Calls that have a number of their own in x32, from 512 on: `arch/x86/entry/syscalls/syscall_64.tbl`.
const X32_OWN: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// The numbers of x86-64, but for what has one of its own.
fn x32(each: &mut dyn FnMut(u32, &'static str)) {
    dispatch(Arch::X86_64, &mut |number, name| {
        if !X32_OWN.contains(&name) {
            each(number, name);
        }
    });
    (512..).zip(X32_OWN).for_each(|(number, name)| each(number, name));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table(arch: Arch) -> BTreeMap<&'static str, u32> {
        let mut names = BTreeMap::new();
        for_each(arch, |number, name| {
            names.insert(name, number);
        });
        names
    }

    #[test]
    fn tables_reach_from_the_first_to_the_last_call() {
        let x86_64 = table(Arch::X86_64);
        assert_eq!((x86_64["read"], x86_64["file_setattr"]), (0, 469));
        assert_eq!(table(Arch::X86)["socketcall"], 102);
        assert_eq!(table(Arch::Arm)["set_tls"], 0x000f_0005);
        assert_eq!(table(Arch::Mips)["read"], 4003);
    }

    #[test]
    fn x32_has_numbers_of_its_own() {
        let x32 = table(Arch::X32);
        assert_eq!((x32["read"], x32["rt_sigaction"], x32["execve"], x32["pwritev2"]), (0, 512, 520, 547));
        assert_eq!((x32["process_vm_readv"], x32["setsockopt"], x32["execveat"]), (539, 541, 545));
    }
}
