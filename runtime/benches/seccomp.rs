//! Compiling a profile of the shape of Docker's default one: some 400 calls of three architectures allowed, a few of
//! them with conditions, everything else refused. It must take less than a millisecond.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark ends at the first surprise, and reports")]

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_runtime::config::Seccomp;
use plimsoll_runtime::seccomp::Filter;
use syscalls::x86_64::Sysno;

/// Calls that no container needs, such as those for modules, clocks and mounts.
const REFUSED: &[&str] = &[
    "acct",
    "add_key",
    "bpf",
    "clock_settime",
    "create_module",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "get_mempolicy",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "query_module",
    "quotactl",
    "reboot",
    "request_key",
    "set_mempolicy",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "sysfs",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "_sysctl",
];

/// Calls that are there in 32 bits only, as the default profile lists them.
const NARROW: &[&str] = &[
    "_llseek",
    "_newselect",
    "chown32",
    "clock_gettime64",
    "epoll_ctl_old",
    "fadvise64_64",
    "fchown32",
    "fcntl64",
    "fstat64",
    "fstatat64",
    "fstatfs64",
    "ftruncate64",
    "futex_time64",
    "getegid32",
    "geteuid32",
    "getgid32",
    "getgroups32",
    "getresgid32",
    "getresuid32",
    "getuid32",
    "ipc",
    "lchown32",
    "lstat64",
    "mmap2",
    "mq_timedsend_time64",
    "ppoll_time64",
    "pselect6_time64",
    "recvmmsg_time64",
    "sched_rr_get_interval_time64",
    "semtimedop_time64",
    "sendfile64",
    "setfsgid32",
    "setfsuid32",
    "setgid32",
    "setgroups32",
    "setregid32",
    "setresgid32",
    "setresuid32",
    "setreuid32",
    "setuid32",
    "sigprocmask",
    "sigreturn",
    "socketcall",
    "stat64",
    "statfs64",
    "timer_gettime64",
    "timerfd_gettime64",
    "truncate64",
    "ugetrlimit",
    "utimensat_time64",
    "waitpid",
];

fn profile() -> Seccomp {
    let calls = (0..=Sysno::last().id()).filter_map(|number| Sysno::new(number as usize)).map(|call| call.name());
    let conditional = ["personality", "clone", "clone3", "socket"];
    let calls = calls.filter(|name| !REFUSED.contains(name) && !conditional.contains(name));
    let names: Vec<_> = calls.chain(NARROW.iter().copied()).collect();
    let personality = [0_u64, 8, 131_072, 131_080, u64::from(u32::MAX)].map(|value| {
        let args = serde_json::json!([{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]);
        serde_json::json!({"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": args})
    });
    let condition = |name: &str, value: u64, op: &str| {
        let args = serde_json::json!([{"index": 0, "value": value, "valueTwo": 0, "op": op}]);
        serde_json::json!({"names": [name], "action": "SCMP_ACT_ALLOW", "args": args})
    };
    let mut rules = vec![serde_json::json!({"names": names, "action": "SCMP_ACT_ALLOW"})];
    rules.extend(personality);
    rules.push(condition("socket", 40, "SCMP_CMP_NE"));
    rules.push(condition("clone", 2_114_060_288, "SCMP_CMP_MASKED_EQ"));
    rules.push(serde_json::json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}));
    serde_json::from_value(serde_json::json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": rules,
    }))
    .unwrap()
}

fn compile(criterion: &mut Criterion) {
    let profile = profile();
    println!("{} calls, {} instructions", profile.syscalls[0].names.len(), Filter::compile(&profile).unwrap().length());
    criterion.bench_function("compile a profile like Docker's", |bencher| {
        bencher.iter(|| Filter::compile(std::hint::black_box(&profile)).unwrap());
    });
}

criterion_group!(benches, compile);
criterion_main!(benches);
