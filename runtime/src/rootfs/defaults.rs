//! The file systems that a container should find whether or not it asks for them. Specification: `config-linux.md`,
//! Default Filesystems.

use crate::config::{Config, Mount, NamespaceKind};
use crate::rootfs::beneath::inside;

/// A mount to make.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The entry.
    pub mount: Mount,
    /// Whether nobody asked for it: its failure is a warning.
    pub by_default: bool,
}

/// Destination, type, options.
const DEFAULTS: [(&str, &str, &[&str]); 4] = [
    ("/proc", "proc", &["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    ("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
    ("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
];

/// The mounts of a configuration in their order, and the default ones that it lacks: each ahead of what is mounted
/// below it. Without a mount namespace there are no default ones.
pub fn plan_mounts(config: &Config) -> Vec<Planned> {
    let asked = |mount: &Mount| Planned { mount: mount.clone(), by_default: false };
    let mut planned: Vec<_> = config.mounts.iter().map(asked).collect();
    if !config.linux.makes(NamespaceKind::Mount) {
        return planned;
    }
    for (destination, kind, options) in DEFAULTS {
        let place = inside(destination.as_ref());
        if planned.iter().any(|there| inside(&there.mount.destination) == place) {
            continue;
        }
        let below = planned.iter().position(|there| inside(&there.mount.destination).starts_with(&place));
        let mount = Mount {
            destination: destination.into(),
            kind: Some(kind.into()),
            source: Some(kind.into()),
            options: options.iter().map(|&word| word.into()).collect(),
            uid_mappings: Vec::new(),
            gid_mappings: Vec::new(),
        };
        planned.insert(below.unwrap_or(planned.len()), Planned { mount, by_default: true });
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_ahead_of_what_lies_below_it() {
        let text = r#"{"ociVersion":"1.0.2","root":{"path":"r"},"mounts":[{"destination":"/dev","type":"tmpfs"},
            {"destination":"proc/x","type":"tmpfs"}],"linux":{"namespaces":[{"type":"mount"}]}}"#;
        let planned = plan_mounts(&Config::parse(text).unwrap());
        let places: Vec<_> = planned.iter().map(|planned| planned.mount.destination.to_str().unwrap()).collect();
        assert_eq!(places, ["/dev", "/proc", "proc/x", "/sys", "/dev/pts", "/dev/shm"]);
    }
}
