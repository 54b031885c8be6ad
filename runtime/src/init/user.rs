//! Who the program is and what it may do: the last steps that need the rights of root.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::thread::{Gid, Uid};

use super::capability::Sets;
use super::{Init, Plan, Start, capability, memory_policy, rlimit, schedule, setup, streams};
use crate::config::{HookKind, PersonalityDomain, Process};
use crate::error::{Context, Result};
use crate::rootfs::console;
use crate::sync::Message;
use crate::{procfs, sys};

/// `exec`: the processors before the process enters the cgroup.
pub(super) fn initial_processors(init: &mut Init<'_>) -> Result<()> {
    let affinity = init.plan.process.and_then(|process| process.exec_cpu_affinity.as_ref());
    affinity.and_then(|affinity| affinity.initial.as_deref()).map_or(Ok(()), schedule::bind)
}

/// `exec`: the processors after it.
pub(super) fn final_processors(init: &mut Init<'_>) -> Result<()> {
    let affinity = init.plan.process.and_then(|process| process.exec_cpu_affinity.as_ref());
    affinity.and_then(|affinity| affinity.last.as_deref()).map_or(Ok(()), schedule::bind)
}

/// Standard input, output and error become those of the program.
pub(super) fn streams(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    match init.console.take() {
        Some(console) => console.connect(process.user.uid),
        None => streams::adapt(init.root()?, process.user.uid),
    }
}

/// What a process hands on to its children, and keeps over execve(2).
pub(super) fn prepare(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    // Opened as root, made if missing; entered as the user, who must be allowed to.
    init.directory = Some(working_directory(init, &process.cwd)?);
    let linux = &init.plan.config.linux;
    if let Some(personality) = &linux.personality {
        let domain = match personality.domain {
            PersonalityDomain::Linux => 0,
            PersonalityDomain::Linux32 => 8,
        };
        sys::personality(domain).doing(|| "set the personality".into())?;
    }
    linux.memory_policy.as_ref().map_or(Ok(()), memory_policy::apply)?;
    labels(init, process)
}

/// What the process has to set itself, with the rights of root: a session has its terminal, a child may not be created with a
/// deadline, nor beyond a limit of processes.
pub(super) fn limits(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    if process.terminal {
        console::control()?;
    }
    schedule::apply(process)?;
    init.plan.open_files.as_ref().map_or(Ok(()), rlimit::restore)?;
    rlimit::apply(&process.rlimits)
}

fn working_directory(init: &Init<'_>, path: &Path) -> Result<std::os::fd::OwnedFd> {
    let opening = || "enter the working directory".to_owned();
    let root = init.root()?;
    // A container that runs gets no directory from a program that is added to it.
    if !init.plan.joins_container() {
        root.make_directory(path).doing(opening)?;
    }
    root.open_with(path, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::empty()).doing(opening)
}

/// AppArmor and SELinux take the label that the next execve(2) gives; a child inherits it.
fn labels(init: &Init<'_>, process: &Process) -> Result<()> {
    let proc = init.plan.proc.as_fd();
    if !process.apparmor_profile.is_empty() {
        let value = format!("exec {}", process.apparmor_profile);
        let written = procfs::write(proc, Path::new("thread-self/attr/apparmor/exec"), &value);
        written
            .or_else(|_| procfs::write(proc, Path::new("thread-self/attr/exec"), &value))
            .doing(|| format!("set the AppArmor profile `{}`", process.apparmor_profile))?;
    }
    if !process.selinux_label.is_empty() {
        procfs::write(proc, Path::new("thread-self/attr/exec"), &process.selinux_label)
            .doing(|| format!("set the SELinux label `{}`", process.selinux_label))?;
    }
    Ok(())
}

/// Becomes the user, with the capabilities that are left to it.
pub(super) fn become_user(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    let (sets, warnings) = Sets::grantable(&process.capabilities.clone().unwrap_or_default())?;
    for warning in warnings {
        init.warn(warning)?;
    }
    sys::close_range(3 + init.plan.preserve_fds).doing(|| "close the descriptors".into())?;
    sets.apply_bounding()?;
    change_ids(process)?;
    enter_directory(init)?;
    rustix::process::umask(process.user.umask.map_or(init.umask, Mode::from_raw_mode));
    let moment = Moment::of(init.plan);
    let takes_rights = !process.no_new_privileges && init.plan.filter.is_some();
    if takes_rights && moment == Moment::Early {
        // Those that it takes are about to go, and another user has them no more in effect.
        capability::put_in_effect()?;
        install_filter(init)?;
    }
    sets.apply(takes_rights && moment != Moment::Early)?;
    if process.no_new_privileges {
        rustix::thread::set_no_new_privs(true).doing(|| "set no_new_privs".into())?;
        if moment == Moment::Early {
            install_filter(init)?;
        }
    }
    // The change of user made the process independent of the runtime, which it must not be yet.
    setup::die_with_runtime()?;
    // Nobody in the container may look into a process that still is the runtime.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .doing(|| "hide the runtime's memory".into())
}

/// When the filter is installed. A profile is written for the program and need not allow what the runtime does, so that is as late as
/// can be. Without `no_new_privs` it takes CAP_SYS_ADMIN, and who has that should not be in the reach of the container's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Ahead of `start`: a listener goes to the runtime that made its memory; or the process waits where others look into it.
    Early,
    /// After `start`, ahead of the hooks, which look into it.
    AheadOfHooks,
    /// Right before execve(2).
    Last,
}

impl Moment {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        let takes_rights = plan.process.is_some_and(|process| !process.no_new_privileges);
        let waits_among_others = plan.shares_processes() && matches!(plan.start, Start::OnConnection(_));
        let has_hooks = !plan.config.hooks.of(HookKind::StartContainer).is_empty();
        match plan.handover {
            Some(_) => Self::Early,
            None if takes_rights && waits_among_others => Self::Early,
            None if takes_rights && has_hooks && !plan.joins_container() => Self::AheadOfHooks,
            None => Self::Last,
        }
    }
}

/// Installs the filter ahead of the hooks, and gives up the rights that it takes.
pub(super) fn filter_ahead_of_hooks(init: &Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    install_filter(init)?;
    capability::stop_filtering(process.capabilities.as_ref())
}

/// Installs the filter of system calls; what comes after it has to be allowed by the profile.
pub(super) fn install_filter(init: &Init<'_>) -> Result<()> {
    let Some(filter) = &init.plan.filter else { return Ok(()) };
    if init.plan.handover.is_some() {
        init.channel.send(&Message::Filtering)?;
    }
    filter.install(init.plan.handover.as_ref())
}

fn change_ids(process: &Process) -> Result<()> {
    let user = &process.user;
    rustix::thread::set_keep_capabilities(true).doing(|| "keep capabilities".into())?;
    let groups: Vec<_> = user.additional_gids.iter().map(|&gid| Gid::from_raw(gid)).collect();
    match rustix::thread::set_thread_groups(&groups) {
        // In a user namespace that denies setgroups(2) there is nothing to drop.
        Err(rustix::io::Errno::PERM) if groups.is_empty() => {}
        set => set.doing(|| format!("set the supplementary groups {:?}", user.additional_gids))?,
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    rustix::thread::set_thread_res_gid(gid, gid, gid).doing(|| format!("become group {}", user.gid))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).doing(|| format!("become user {}", user.uid))?;
    rustix::thread::set_keep_capabilities(false).doing(|| "keep capabilities no longer".into())
}

fn enter_directory(init: &mut Init<'_>) -> Result<()> {
    let Some(directory) = init.directory.take() else { return Ok(()) };
    rustix::process::fchdir(&directory).doing(|| "enter the working directory".into())
}
