//! What a type cannot say about `config.json`: checked before anything is made, so that a refusal leaves no trace.
//! Each error names the JSON path and the reason.

use std::collections::BTreeSet;
use std::path::Path;

use super::require::require;
use super::{Config, DeviceKind, HookKind, Linux, MemoryPolicy, Mount, NamespaceKind, Process};
use crate::error::Result;

/// Checks a whole configuration.
pub(super) fn config(config: &Config) -> Result<()> {
    version(&config.oci_version)?;
    require(!config.root.path.as_os_str().is_empty(), "root.path", "must not be empty")?;
    require(!config.annotations.contains_key(""), "annotations", "must not have an empty key")?;
    for (at, mount) in config.mounts.iter().enumerate() {
        self::mount(mount, &format!("mounts[{at}]"), &config.linux)?;
    }
    if let Some(process) = &config.process {
        self::process(process, "process")?;
    }
    for kind in HookKind::ALL {
        hooks(config, kind)?;
    }
    for (member, name) in [("hostname", &config.hostname), ("domainname", &config.domainname)] {
        host_name(member, name.as_deref(), &config.linux)?;
        let again = [format!("kernel.{member}"), format!("kernel/{member}")];
        let other =
            again.iter().filter_map(|name| config.linux.sysctl.get(name)).find(|other| Some(*other) != name.as_ref());
        let said = name.as_ref().is_some_and(|name| !name.is_empty());
        require(!said || other.is_none(), format!("linux.sysctl.kernel.{member}"), format!("contradicts {member}"))?;
    }
    linux(&config.linux)
}

/// Semantic version, of the one major release there is.
fn version(version: &str) -> Result<()> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<_> = core.split('.').map(str::parse::<u32>).collect();
    let semantic = numbers.len() == 3 && numbers.iter().all(std::result::Result::is_ok);
    require(semantic, "ociVersion", format!("`{version}` is no semantic version such as 1.2.0"))?;
    require(numbers[0] == Ok(1), "ociVersion", format!("`{version}` is not supported, only 1.x.y"))
}

/// Checks `process`, which is found at the JSON path `at`.
pub(super) fn process(process: &Process, at: &str) -> Result<()> {
    require(!process.args.is_empty(), format!("{at}.args"), "must name a program")?;
    require(process.cwd.is_absolute(), format!("{at}.cwd"), "must be an absolute path")?;
    let strings = process.args.iter().chain(&process.env);
    require(strings.clone().all(|text| !text.contains('\0')), at, "args and env must not contain a NUL")?;
    if let Some(score) = process.oom_score_adj {
        require((-1000..=1000).contains(&score), format!("{at}.oomScoreAdj"), "must be -1000 to 1000")?;
    }
    let user = &process.user;
    // setresuid(2) and its kin take this number for "no change".
    for (name, id) in [("uid", user.uid), ("gid", user.gid)] {
        require(id != u32::MAX, format!("{at}.user.{name}"), "4294967295 is the id of nobody")?;
    }
    require(!user.additional_gids.contains(&u32::MAX), format!("{at}.user.additionalGids"), "4294967295 is no group")?;
    if let Some(umask) = user.umask {
        require(umask <= 0o777, format!("{at}.user.umask"), "must be at most 511 (0777)")?;
    }
    let mut seen = BTreeSet::new();
    for (index, limit) in process.rlimits.iter().enumerate() {
        let at = format!("{at}.rlimits[{index}]");
        let known = crate::init::rlimit::number(&limit.resource).is_some();
        require(known, &at, format!("`{}` is no resource of getrlimit(2)", limit.resource))?;
        require(seen.insert(&limit.resource), &at, format!("`{}` is listed twice", limit.resource))?;
        require(limit.soft <= limit.hard, &at, "soft must not be above hard")?;
    }
    crate::init::schedule::validate(process, at)
}

fn mount(mount: &Mount, at: &str, linux: &Linux) -> Result<()> {
    require(!mount.destination.as_os_str().is_empty(), format!("{at}.destination"), "must not be empty")?;
    let (users, groups) = (mount.uid_mappings.is_empty(), mount.gid_mappings.is_empty());
    require(users == groups, at, "uidMappings and gidMappings must be given together")?;
    let wants_map = mount.options.iter().any(|option| option == "idmap" || option == "ridmap");
    let has_map = !users || linux.has_user_namespace();
    require(!wants_map || has_map, at, "idmap needs uidMappings and gidMappings, or a user namespace")?;
    mappings(&mount.uid_mappings, &format!("{at}.uidMappings"))?;
    mappings(&mount.gid_mappings, &format!("{at}.gidMappings"))
}

fn mappings(mappings: &[super::IdMapping], at: &str) -> Result<()> {
    for (index, map) in mappings.iter().enumerate() {
        require(map.size > 0, format!("{at}[{index}].size"), "must be at least 1")?;
        let inside = map.container_id.checked_add(map.size - 1);
        let outside = map.host_id.checked_add(map.size - 1);
        require(inside.is_some() && outside.is_some(), format!("{at}[{index}]"), "the range ends above 2^32 - 1")?;
    }
    Ok(())
}

fn hooks(config: &Config, kind: HookKind) -> Result<()> {
    for (index, hook) in config.hooks.of(kind).iter().enumerate() {
        let at = format!("hooks.{}[{index}]", kind.name());
        require(hook.path.is_absolute(), format!("{at}.path"), "must be an absolute path")?;
        require(hook.timeout.is_none_or(|seconds| seconds > 0), format!("{at}.timeout"), "must be above 0")?;
        let strings = hook.args.iter().chain(hook.env.iter().flatten());
        require(strings.clone().all(|text| !text.contains('\0')), at, "args and env must not contain a NUL")?;
    }
    Ok(())
}

/// The kernel holds 64 bytes of each name, and without a namespace it would be the host's.
fn host_name(member: &str, name: Option<&str>, linux: &Linux) -> Result<()> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(()) };
    require(name.len() <= 64, member, "must be at most 64 bytes")?;
    require(!name.contains('\0'), member, "must not contain a NUL")?;
    let apart = linux.namespace(NamespaceKind::Uts).is_some();
    require(apart, member, "needs an entry of type uts in linux.namespaces, else the host would be renamed")
}

fn linux(linux: &Linux) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (index, namespace) in linux.namespaces.iter().enumerate() {
        let at = format!("linux.namespaces[{index}]");
        require(seen.insert(namespace.kind), &at, format!("type {} is listed twice", namespace.kind.name()))?;
        let absolute = namespace.path.as_deref().is_none_or(Path::is_absolute);
        require(absolute, format!("{at}.path"), "must be an absolute path")?;
    }
    user_namespace(linux)?;
    linux.resources.validate("linux.resources")?;
    if let Some(seccomp) = &linux.seccomp {
        seccomp.validate("linux.seccomp")?;
    }
    time_offsets(linux)?;
    for (index, device) in linux.devices.iter().enumerate() {
        let at = format!("linux.devices[{index}]");
        let numbered = device.kind == DeviceKind::Fifo || device.major.is_some() && device.minor.is_some();
        require(numbered, &at, "major and minor are needed for this type")?;
        require(device.path.is_absolute(), format!("{at}.path"), "must be an absolute path")?;
        // The kind of file may be among the bits, as stat(2) tells them: podman copies it from the host's node.
        let permissions = device.file_mode.map(|mode| mode & !libc::S_IFMT);
        require(permissions.is_none_or(|mode| mode <= 0o7777), format!("{at}.fileMode"), "is no file mode")?;
    }
    for (member, paths) in [("maskedPaths", &linux.masked_paths), ("readonlyPaths", &linux.readonly_paths)] {
        for (index, path) in paths.iter().enumerate() {
            require(path.is_absolute(), format!("linux.{member}[{index}]"), "must be an absolute path")?;
        }
    }
    for name in linux.sysctl.keys() {
        crate::rootfs::sysctl::check(name, linux)?;
    }
    if let Some(personality) = &linux.personality {
        require(personality.flags.is_empty(), "linux.personality.flags", "no flag is valid")?;
    }
    require(
        linux.net_devices.is_empty() || linux.namespace(NamespaceKind::Network).is_some(),
        "linux.netDevices",
        "needs an entry of type network in linux.namespaces",
    )?;
    for (name, device) in &linux.net_devices {
        let inside = device.name.as_deref().filter(|inside| !inside.is_empty()).unwrap_or(name);
        require(is_device_name(name), "linux.netDevices", format!("`{name}` is no name of a network device"))?;
        let at = format!("linux.netDevices.{name}.name");
        require(is_device_name(inside), at, format!("`{inside}` is no name of a network device"))?;
    }
    linux.memory_policy.as_ref().map_or(Ok(()), memory_policy)
}

/// The kernel moves a device first and finds fault with its new name afterwards, when the device cannot come back.
fn is_device_name(name: &str) -> bool {
    let plain = |c: char| !c.is_ascii_whitespace() && !matches!(c, '/' | ':' | '\0');
    !matches!(name, "" | "." | "..") && name.len() < libc::IFNAMSIZ && name.chars().all(plain)
}

fn user_namespace(linux: &Linux) -> Result<()> {
    mappings(&linux.uid_mappings, "linux.uidMappings")?;
    mappings(&linux.gid_mappings, "linux.gidMappings")?;
    let mapped = !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty();
    require(!mapped || linux.has_user_namespace(), "linux.uidMappings", "needs an entry of type user in namespaces")
}

fn time_offsets(linux: &Linux) -> Result<()> {
    for (clock, offset) in &linux.time_offsets {
        let at = format!("linux.timeOffsets.{clock}");
        require(matches!(clock.as_str(), "monotonic" | "boottime"), &at, "only monotonic and boottime have offsets")?;
        require(offset.nanosecs < 1_000_000_000, format!("{at}.nanosecs"), "must be below 1000000000")?;
    }
    let possible = linux.time_offsets.is_empty() || linux.makes(NamespaceKind::Time);
    require(possible, "linux.timeOffsets", "needs a new namespace of type time")
}

fn memory_policy(policy: &MemoryPolicy) -> Result<()> {
    crate::init::memory_policy::parse(policy).map(drop)
}
