//! Scheduling policy, I/O priority, processors. sched_setattr(2), ioprio_set(2), sched_setaffinity(2).

use rustix::thread::CpuSet;

use crate::config::{IoPriority, Process, Scheduler};
use crate::error::{Context, Error, Result};
use crate::sys;

/// Policies of linux/sched.h.
const POLICIES: [(&str, u32); 7] = [
    ("SCHED_OTHER", 0),
    ("SCHED_FIFO", 1),
    ("SCHED_RR", 2),
    ("SCHED_BATCH", 3),
    ("SCHED_ISO", 4),
    ("SCHED_IDLE", 5),
    ("SCHED_DEADLINE", 6),
];

/// Flags of linux/sched.h.
const FLAGS: [(&str, u64); 7] = [
    ("SCHED_FLAG_RESET_ON_FORK", 0x01),
    ("SCHED_FLAG_RECLAIM", 0x02),
    ("SCHED_FLAG_DL_OVERRUN", 0x04),
    ("SCHED_FLAG_KEEP_POLICY", 0x08),
    ("SCHED_FLAG_KEEP_PARAMS", 0x10),
    ("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20),
    ("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
];

/// Classes of linux/ioprio.h.
const IO_CLASSES: [(&str, i32); 3] = [("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)];

fn lookup<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Checks the scheduling members of `process`, found at the JSON path `at`.
///
/// # Errors
/// The first name or number that is invalid.
pub fn validate(process: &Process, at: &str) -> Result<()> {
    if let Some(scheduler) = &process.scheduler {
        attributes(scheduler).map(drop).doing(|| format!("{at}.scheduler"))?;
    }
    if let Some(priority) = &process.io_priority {
        io_value(priority).map(drop).doing(|| format!("{at}.ioPriority"))?;
    }
    let affinity = process.exec_cpu_affinity.iter();
    for list in affinity.flat_map(|affinity| affinity.initial.iter().chain(&affinity.last)) {
        processors(list).map(drop).doing(|| format!("{at}.execCPUAffinity"))?;
    }
    Ok(())
}

fn attributes(scheduler: &Scheduler) -> Result<libc::sched_attr> {
    let policy = lookup(&POLICIES, &scheduler.policy);
    let policy = policy.ok_or_else(|| Error::new(format!("`{}` is no policy", scheduler.policy)))?;
    let mut flags = 0;
    for name in &scheduler.flags {
        flags |= lookup(&FLAGS, name).ok_or_else(|| Error::new(format!("`{name}` is no flag")))?;
    }
    if !(-20..=19).contains(&scheduler.nice) {
        return Err(Error::new("nice must be -20 to 19"));
    }
    Ok(libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>()).doing(|| "measure sched_attr".into())?,
        sched_policy: policy,
        sched_flags: flags,
        sched_nice: scheduler.nice,
        sched_priority: u32::try_from(scheduler.priority).doing(|| "priority must not be negative".into())?,
        sched_runtime: scheduler.runtime,
        sched_deadline: scheduler.deadline,
        sched_period: scheduler.period,
    })
}

fn io_value(priority: &IoPriority) -> Result<i32> {
    const CLASS_SHIFT: i32 = 13;
    let class = lookup(&IO_CLASSES, &priority.class);
    let class = class.ok_or_else(|| Error::new(format!("`{}` is no class", priority.class)))?;
    if !(0..=7).contains(&priority.priority) {
        return Err(Error::new("priority must be 0 to 7"));
    }
    Ok(class << CLASS_SHIFT | priority.priority)
}

/// Gives this process its policy and I/O priority.
///
/// # Errors
/// As sched_setattr(2) and ioprio_set(2).
pub fn apply(process: &Process) -> Result<()> {
    if let Some(scheduler) = &process.scheduler {
        sys::sched_setattr(&attributes(scheduler)?).doing(|| format!("set the policy {}", scheduler.policy))?;
        if scheduler.policy == "SCHED_IDLE" {
            // The call above sets the nice value for the ordinary policies only.
            rustix::process::setpriority_process(None, scheduler.nice).doing(|| "set the nice value".into())?;
        }
    }
    if let Some(priority) = &process.io_priority {
        sys::ioprio_set(io_value(priority)?).doing(|| format!("set the I/O priority {}", priority.class))?;
    }
    Ok(())
}

/// Binds this process to the processors in `list`, such as `0-3,7`.
///
/// # Errors
/// As sched_setaffinity(2).
pub fn bind(list: &str) -> Result<()> {
    let mut set = CpuSet::new();
    for processor in processors(list)? {
        set.set(processor);
    }
    rustix::thread::sched_setaffinity(None, &set).doing(|| format!("bind to the processors {list}"))
}

/// Lets this process use every processor of its cgroup.
///
/// # Errors
/// As sched_setaffinity(2), but where a security module forbids it.
pub fn unbind() -> Result<()> {
    let mut set = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|processor| set.set(processor));
    match rustix::thread::sched_setaffinity(None, &set) {
        Err(rustix::io::Errno::PERM) => Ok(()),
        done => done.doing(|| "use all processors of the cgroup".into()),
    }
}

fn processors(list: &str) -> Result<Vec<usize>> {
    super::numbers::parse(list, CpuSet::MAX_CPU - 1)
}
