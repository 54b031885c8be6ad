//! Facts of the host that can change a verdict, for the report and for deciding which checks can run.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use plimsoll_foreign::read;
use plimsoll_reports::model::{Host, Runtime};
use sha2::{Digest, Sha256};

use crate::checks::need::Abilities;
use crate::run::self_report::SelfReport;
use crate::runtime::profile::Profile;
use crate::runtime::settings::Settings;
use crate::system::cgroup;
use crate::system::run_id::RunId;
use crate::system::sys::kernel_version;

/// Names of the capabilities, by number.
pub const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The word on the kernel's command line by which a machine of ours knows that it is one; its value is the accelerator.
pub const GUEST: &str = "plimsoll_guest";

/// How the instructions of this machine are carried out, when it is a virtual one of ours: `tcg` or `kvm`.
#[must_use]
pub fn accelerator() -> Option<String> {
    let line = read::kernel("/proc/cmdline").ok()?;
    line.split_whitespace().find_map(|word| word.strip_prefix(GUEST)?.strip_prefix('=')).map(str::to_owned)
}

/// The facts of this host; `view` is what the runtime is shown of its cgroups.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn facts(view: &str) -> io::Result<Host> {
    let name = nix::sys::utsname::uname()?;
    Ok(Host {
        kernel: name.release().to_string_lossy().into_owned(),
        machine: name.machine().to_string_lossy().into_owned(),
        cgroups: cgroup::Mode::of_host()?.to_string(),
        cgroup_view: view.to_owned(),
        lsms: lsms(),
        missing_capabilities: missing_capabilities()?,
        accelerator: accelerator(),
    })
}

/// Security modules, by the list that securityfs gives, or else by what can be seen of them.
fn lsms() -> Vec<String> {
    if let Ok(list) = read::kernel("/sys/kernel/security/lsm") {
        return list.trim().split(',').map(str::to_owned).collect();
    }
    let seen = [("selinux", "/sys/fs/selinux/enforce"), ("apparmor", "/sys/module/apparmor/parameters/enabled")];
    seen.iter().filter(|(_, sign)| fs::exists(sign).unwrap_or(false)).map(|(name, _)| (*name).to_owned()).collect()
}

/// The capabilities that this process lacks, by name.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn missing_capabilities() -> io::Result<Vec<String>> {
    let status = read::kernel("/proc/self/status")?;
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let missing = CAPABILITIES.iter().enumerate().filter(|(number, _)| held & (1 << number) == 0);
    Ok(missing.map(|(_, name)| (*name).to_owned()).collect())
}

/// What checks may need of this host and this runtime.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn abilities(profile: &Profile, host: &Host) -> io::Result<Abilities> {
    // As a check of number 0 would call one of its own: `plimsoll clean` knows whose it is.
    let name = RunId::of_self()?.group("look");
    let filesystems = read::kernel("/proc/filesystems")?;
    Ok(Abilities {
        profile: profile.clone(),
        kernel: kernel_version(&host.kernel),
        filesystems: filesystems.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect(),
        controllers: controllers()?,
        cgroups: cgroup::Mode::of_host()?,
        new_group: cgroup::NewGroup::look(&name)?,
        groups_lack_real_time: cgroup::hierarchies()?.iter().any(|h| h.mount.join("cpu.rt_runtime_us").exists()),
        missing_capabilities: host.missing_capabilities.clone(),
    })
}

/// Cgroup controllers that are there: the v1 hierarchies, and what cgroup v2 offers at its mount point.
fn controllers() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for hierarchy in cgroup::hierarchies()? {
        names.extend(hierarchy.controllers);
        if hierarchy.v2 {
            names.extend(cgroup::on_offer(&hierarchy.mount)?);
        }
    }
    Ok(names)
}

/// The facts of the runtime, which says this of itself.
///
/// # Errors
/// When the binary cannot be read.
pub fn runtime(settings: &Settings, said: &SelfReport) -> io::Result<Runtime> {
    Ok(Runtime {
        path: settings.runtime.to_string_lossy().into_owned().into(),
        version: said.version.clone().into(),
        version_hung: said.version_hung,
        sha256: sha256(&settings.runtime)?,
        profile: settings.profile.name.clone(),
        spec: settings.release.to_string(),
    })
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
