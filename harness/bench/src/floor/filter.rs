//! The two BPF programs of a container: the seccomp filter and, on cgroup version 2, the device filter.

use serde_json::Value;

use super::texts;
use super::writer::Plan;

/// The number that audit(7) has for this architecture.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
/// The number that audit(7) has for this architecture.
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const IS: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K
const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0001; // SECCOMP_RET_ERRNO with EPERM

/// Installs a filter that allows what the profile lists, one after the other, and refuses the rest.
pub fn seccomp(plan: &mut Plan, profile: &Value) {
    let listed = profile["syscalls"].as_array().into_iter().flatten();
    let names = listed.filter(|entry| entry["action"] == "SCMP_ACT_ALLOW").flat_map(|entry| texts(&entry["names"]));
    let numbers = names.filter_map(|name| name.parse::<syscalls::Sysno>().ok()).map(|call| call.id() as u32);
    let mut program = vec![(LOAD, 0, 0, 4), (IS, 1, 0, ARCHITECTURE), (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, 0)];
    program.extend(numbers.flat_map(|number| [(IS, 0, 1, number), (RETURN, 0, 0, ALLOW)]));
    program.push((RETURN, 0, 0, REFUSE));
    let instruction = |&(code, then, other, value): &(u16, u8, u8, u32)| {
        [&code.to_ne_bytes()[..], &[then, other], &value.to_ne_bytes()].concat()
    };
    let instructions = plan.bytes(&program.iter().flat_map(instruction).collect::<Vec<u8>>());
    let described = plan.words(&[program.len() as u64, instructions]); // struct sock_fprog
    plan.call(libc::SYS_seccomp, [libc::SECCOMP_SET_MODE_FILTER.into(), 0, described]);
}

/// The device numbers that stay allowed: major and minor, where a minor of none means each.
const DEVICES: [(i32, Option<i32>); 8] =
    [(1, Some(3)), (1, Some(5)), (1, Some(7)), (1, Some(8)), (1, Some(9)), (5, Some(0)), (5, Some(2)), (136, None)];

/// Loads the program for devices; the attribute with which it is attached to the group behind `group`, and its size.
pub fn device_program(plan: &mut Plan, group: u64) -> (u64, u64) {
    let instruction = |code: u8, registers: u8, offset: i16, value: i32| {
        [&[code, registers][..], &offset.to_ne_bytes(), &value.to_ne_bytes()].concat()
    };
    let mut program = vec![
        instruction(0x61, 0x14, 0, 0), // r4 = access and type
        instruction(0x61, 0x12, 4, 0), // r2 = major
        instruction(0x61, 0x13, 8, 0), // r3 = minor
        instruction(0xb7, 0x00, 0, 1), // r0 = 1
        instruction(0x74, 0x04, 0, 16),
        instruction(0x55, 0x04, 1, 1), // unless all that is wanted is to make a node
        instruction(0x95, 0, 0, 0),
    ];
    for (major, minor) in DEVICES {
        let skip = if minor.is_some() { 2 } else { 1 };
        program.push(instruction(0x55, 0x02, skip, major));
        program.extend(minor.map(|minor| instruction(0x55, 0x03, 1, minor)));
        program.push(instruction(0x95, 0, 0, 0));
    }
    program.extend([instruction(0xb7, 0x00, 0, 0), instruction(0x95, 0, 0, 0)]);
    let (count, instructions) = (program.len() as u64, plan.bytes(&program.concat()));
    let licence = plan.text("Apache-2.0");
    // union bpf_attr of BPF_PROG_LOAD: type BPF_PROG_TYPE_CGROUP_DEVICE and count, instructions, licence, no log.
    let load = plan.words(&[15 | count << 32, instructions, licence, 0, 0, 0]);
    let loaded = plan.open(libc::SYS_bpf, [5, load, 48]);
    // Of BPF_PROG_ATTACH: group and program, type BPF_CGROUP_DEVICE.
    (plan.words(&[group | loaded << 32, 6]), 16)
}
