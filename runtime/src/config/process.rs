//! `process`: the program and the attributes it starts with. Specification: `config.md`, Process.

use std::path::PathBuf;

use serde::Deserialize;

/// The `process` object, also the document that `exec --process` reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether standard input, output and error are a new pseudoterminal.
    #[serde(default)]
    pub terminal: bool,
    /// Its first size, in characters.
    pub console_size: Option<ConsoleSize>,
    /// Who the program runs as.
    #[serde(default, deserialize_with = "super::object::object")]
    pub user: User,
    /// `argv`; the first is the program, looked up in the container's `PATH`.
    #[serde(default)]
    pub args: Vec<String>,
    /// The environment: `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// Working directory: absolute, in the container.
    pub cwd: PathBuf,
    /// The five capability sets; absent means none.
    #[serde(default, deserialize_with = "super::object::optional")]
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    #[serde(default)]
    pub rlimits: Vec<Rlimit>,
    /// Whether execve(2) can no longer grant privileges.
    #[serde(default)]
    pub no_new_privileges: bool,
    /// AppArmor profile.
    #[serde(default)]
    pub apparmor_profile: String,
    /// SELinux label.
    #[serde(default)]
    pub selinux_label: String,
    /// Score of the out-of-memory killer, -1000 to 1000; absent leaves it alone.
    pub oom_score_adj: Option<i32>,
    /// Scheduling policy and attributes.
    pub scheduler: Option<Scheduler>,
    /// I/O class and priority.
    pub io_priority: Option<IoPriority>,
    /// Processors of a process that `exec` starts.
    #[serde(rename = "execCPUAffinity")]
    pub exec_cpu_affinity: Option<ExecCpuAffinity>,
}

/// `consoleSize`, in characters.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
}

/// `user`, as numbers of the container's user namespace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// File mode creation mask; absent keeps the caller's.
    pub umask: Option<u32>,
    /// Supplementary groups.
    #[serde(default)]
    pub additional_gids: Vec<u32>,
}

/// `capabilities`: names as in capabilities(7), with the prefix `CAP_`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// What execve(2) can ever grant.
    pub bounding: Vec<String>,
    /// What the kernel checks.
    pub effective: Vec<String>,
    /// What a file with inheritable capabilities may pass on.
    pub inheritable: Vec<String>,
    /// What may be made effective.
    pub permitted: Vec<String>,
    /// What survives execve(2) without the help of files.
    pub ambient: Vec<String>,
}

/// One entry of `rlimits`; the numbers are in the unit of the resource, as for setrlimit(2).
#[derive(Debug, Clone, Deserialize)]
pub struct Rlimit {
    /// `RLIMIT_NOFILE` and so on.
    #[serde(rename = "type")]
    pub resource: String,
    /// The limit that holds.
    pub soft: u64,
    /// How far the process may raise it.
    pub hard: u64,
}

/// `scheduler`: the arguments of sched_setattr(2).
#[derive(Debug, Clone, Deserialize)]
pub struct Scheduler {
    /// `SCHED_OTHER`, `SCHED_FIFO`, `SCHED_RR`, `SCHED_BATCH`, `SCHED_ISO`, `SCHED_IDLE` or `SCHED_DEADLINE`.
    pub policy: String,
    /// Nice value, -20 to 19.
    #[serde(default)]
    pub nice: i32,
    /// Static priority of the real-time policies, 1 to 99.
    #[serde(default)]
    pub priority: i32,
    /// `SCHED_FLAG_…` names.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Nanoseconds of work in each period (deadline policy).
    #[serde(default)]
    pub runtime: u64,
    /// Nanoseconds until the work must be done.
    #[serde(default)]
    pub deadline: u64,
    /// Nanoseconds between two activations.
    #[serde(default)]
    pub period: u64,
}

/// `ioPriority`: the arguments of ioprio_set(2).
#[derive(Debug, Clone, Deserialize)]
pub struct IoPriority {
    /// `IOPRIO_CLASS_RT`, `IOPRIO_CLASS_BE` or `IOPRIO_CLASS_IDLE`.
    pub class: String,
    /// 0 (first) to 7 (last).
    pub priority: i32,
}

/// `execCPUAffinity`: lists of processors such as `0-3,7`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ExecCpuAffinity {
    /// Held before the process enters the container's cgroup.
    pub initial: Option<String>,
    /// Held after.
    #[serde(rename = "final")]
    pub last: Option<String>,
}
