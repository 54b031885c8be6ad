//! The last steps before the container's program.

use std::io;

use plimsoll_fixtures::Config;
use plimsoll_foreign::read;

use super::writer::Plan;
use super::{filter, list, texts, unable};

/// The kinds of limits that a configuration may name, in the order of their numbers.
const LIMITS: [&str; 16] = [
    "CPU",
    "FSIZE",
    "DATA",
    "STACK",
    "CORE",
    "RSS",
    "NPROC",
    "NOFILE",
    "MEMLOCK",
    "AS",
    "LOCKS",
    "SIGPENDING",
    "MSGQUEUE",
    "NICE",
    "RTPRIO",
    "RTTIME",
];

/// The capabilities in the order of their numbers.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// Gives the process its limits and rights, and executes the program.
pub fn become_it(plan: &mut Plan, config: &Config) -> io::Result<()> {
    let process = &config.0["process"];
    for limit in list(&process["rlimits"]) {
        let kind = limit["type"].as_str().unwrap_or_default().trim_start_matches("RLIMIT_");
        let number = LIMITS.iter().position(|name| *name == kind).ok_or_else(|| unable(&format!("a limit {kind}")))?;
        let values = ["soft", "hard"].map(|name| limit[name].as_u64().unwrap_or(0));
        let values = plan.words(&values);
        plan.call(libc::SYS_prlimit64, [0, number as u64, values, 0]);
    }
    let (no_new, filters) = (process["noNewPrivileges"] == true, !config.0["linux"]["seccomp"].is_null());
    if filters && !no_new {
        filter::seccomp(plan, &config.0["linux"]["seccomp"]);
    }
    capabilities_and_user(plan, config);
    if no_new {
        plan.call(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0]);
    }
    let directory = plan.text(process["cwd"].as_str().unwrap_or("/"));
    plan.call(libc::SYS_chdir, [directory]);
    if filters && no_new {
        filter::seccomp(plan, &config.0["linux"]["seccomp"]);
    }
    let path = plan.text(texts(&process["args"]).next().unwrap_or_default());
    let (args, env) = (plan.texts(texts(&process["args"])), plan.texts(texts(&process["env"])));
    plan.call(libc::SYS_execve, [path, args, env]);
    Ok(())
}

fn capabilities_and_user(plan: &mut Plan, config: &Config) {
    let process = &config.0["process"];
    let set = |name: &str| {
        let named = texts(&process["capabilities"][name]).map(|name| name.trim_start_matches("CAP_"));
        let known = named.filter_map(|name| CAPABILITIES.iter().position(|known| *known == name));
        known.fold(0_u64, |set, number| set | 1 << number)
    };
    // Of those that this kernel does not know, none can be dropped.
    let last = read::kernel("/proc/sys/kernel/cap_last_cap").ok().and_then(|text| text.trim().parse().ok());
    let bounding = set("bounding");
    for number in (0..=last.unwrap_or(40_u64)).filter(|number| bounding & 1 << number == 0) {
        plan.call(libc::SYS_prctl, [libc::PR_CAPBSET_DROP as u64, number, 0, 0, 0]);
    }
    let id = |name: &str| process["user"][name].as_u64().unwrap_or(0);
    let (user, group) = (id("uid"), id("gid"));
    plan.call(libc::SYS_prctl, [libc::PR_SET_KEEPCAPS as u64, 1, 0, 0, 0]);
    plan.call(libc::SYS_setgroups, [0, 0]);
    plan.call(libc::SYS_setresgid, [group, group, group]);
    plan.call(libc::SYS_setresuid, [user, user, user]);
    let (effective, permitted, inheritable) = (set("effective"), set("permitted"), set("inheritable"));
    let halves = [effective, permitted, inheritable].map(|set| [set as u32, (set >> 32) as u32]);
    let header = plan.words(&[0x2008_0522]); // _LINUX_CAPABILITY_VERSION_3, this process
    let data: Vec<u8> = (0..2).flat_map(|half| halves.map(|set| set[half])).flat_map(u32::to_ne_bytes).collect();
    let data = plan.bytes(&data);
    plan.call(libc::SYS_capset, [header, data]);
}
