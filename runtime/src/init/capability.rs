//! The five capability sets. capabilities(7).

use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::config::Capabilities;
use crate::error::{Context, Result};
use crate::log;

/// All names, in the order of their numbers.
pub const NAMES: [&str; 41] = [
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

/// The sets as bits, reduced to what this process can grant.
#[derive(Debug, Clone, Copy)]
pub struct Sets {
    bounding: CapabilitySet,
    effective: CapabilitySet,
    inheritable: CapabilitySet,
    permitted: CapabilitySet,
    ambient: CapabilitySet,
}

impl Sets {
    /// The sets that can be granted, and a warning for each name that cannot. Engines list as ambient what is permitted and not inheritable:
    /// whoever has a log reads of that there, and nobody on standard error, which may be that of the program.
    ///
    /// # Errors
    /// When the kernel does not tell what this process has.
    pub fn grantable(capabilities: &Capabilities) -> Result<(Self, Vec<String>)> {
        let own = own()?;
        let mut warnings = Vec::new();
        let mut set = |names: &[String]| {
            names.iter().fold(CapabilitySet::empty(), |set, name| match bit(name) {
                Some(bit) if own.permitted.contains(bit) => set | bit,
                Some(_) => {
                    warnings.push(format!("capability {name} is not granted: the runtime itself lacks it"));
                    set
                }
                None => {
                    warnings.push(format!("capability {name} is unknown and not granted"));
                    set
                }
            })
        };
        let bounding = set(&capabilities.bounding);
        let (effective, permitted) = (set(&capabilities.effective), set(&capabilities.permitted));
        let (inheritable, ambient) = (set(&capabilities.inheritable), set(&capabilities.ambient));
        // What the kernel would refuse, and with it the whole set.
        let mut within = |name: &str, set: CapabilitySet, limit: CapabilitySet, of: &str| {
            let beyond = names(set - limit);
            warnings.extend(beyond.iter().map(|lost| format!("{lost} is not granted as {name}: it is not {of}")));
            set & limit
        };
        let effective = within("effective", effective, permitted, "permitted");
        let inheritable = within("inheritable", inheritable, bounding, "in the bounding set");
        let ambient = within("ambient", ambient, permitted, "permitted");
        let ambient = if log::has_file() {
            within("ambient", ambient, inheritable, "inheritable")
        } else {
            ambient & inheritable
        };
        warnings.sort();
        warnings.dedup();
        Ok((Self { bounding, effective, inheritable, permitted, ambient }, warnings))
    }

    /// Reduces the bounding set; needs `CAP_SETPCAP`, and so comes ahead of [`Sets::apply`].
    ///
    /// # Errors
    /// As prctl(2), `PR_CAPBSET_DROP`.
    pub fn apply_bounding(&self) -> Result<()> {
        for number in 0..64 {
            let bit = CapabilitySet::from_bits_retain(1 << number);
            if self.bounding.contains(bit) {
                continue;
            }
            match rustix::thread::remove_capability_from_bounding_set(bit) {
                // The kernel knows no capability of this number, and so none of a higher one.
                Err(rustix::io::Errno::INVAL) => break,
                done => done.doing(|| "reduce the bounding set".into())?,
            }
        }
        Ok(())
    }

    /// Sets the other four. With `may_filter` what it takes to install a filter stays until execve(2), which gives the program what the
    /// bounding, inheritable and ambient sets say, and nothing else.
    ///
    /// # Errors
    /// As capset(2), and prctl(2), `PR_CAP_AMBIENT`.
    pub fn apply(&self, may_filter: bool) -> Result<()> {
        let kept = if may_filter { own()?.permitted & CapabilitySet::SYS_ADMIN } else { CapabilitySet::empty() };
        let (effective, permitted) = (self.effective | kept, self.permitted | kept);
        let sets = CapabilitySets { effective, permitted, inheritable: self.inheritable };
        rustix::thread::set_capabilities(None, sets).doing(|| "set the capabilities".into())?;
        rustix::thread::clear_ambient_capability_set().doing(|| "clear the ambient set".into())?;
        for bit in self.ambient.iter() {
            rustix::thread::configure_capability_in_ambient_set(bit, true)
                .doing(|| format!("add {} to the ambient set", names(bit).join(" ")))?;
        }
        Ok(())
    }
}

fn own() -> Result<CapabilitySets> {
    rustix::thread::capabilities(None).doing(|| "read the capabilities of the runtime".into())
}

/// Gives up what [`Sets::apply`] has kept, as far as the configuration does not grant it.
///
/// # Errors
/// As capset(2).
pub fn stop_filtering(configured: Option<&Capabilities>) -> Result<()> {
    let mut sets = own()?;
    let grants = |set: fn(&Capabilities) -> &Vec<String>| {
        configured.is_some_and(|configured| set(configured).iter().any(|name| name == "CAP_SYS_ADMIN"))
    };
    if !grants(|configured| &configured.permitted) {
        sets.permitted -= CapabilitySet::SYS_ADMIN;
    }
    if !grants(|configured| &configured.effective) {
        sets.effective -= CapabilitySet::SYS_ADMIN;
    }
    sets.effective &= sets.permitted;
    rustix::thread::set_capabilities(None, sets).doing(|| "give up CAP_SYS_ADMIN".into())
}

/// Puts all that is permitted in effect.
///
/// # Errors
/// As capset(2).
pub fn put_in_effect() -> Result<()> {
    let doing = || "put the capabilities in effect".to_owned();
    let mut own = rustix::thread::capabilities(None).doing(doing)?;
    if own.effective == own.permitted {
        return Ok(());
    }
    own.effective = own.permitted;
    rustix::thread::set_capabilities(None, own).doing(doing)
}

fn bit(name: &str) -> Option<CapabilitySet> {
    NAMES.iter().position(|known| *known == name).map(|number| CapabilitySet::from_bits_retain(1 << number))
}

fn names(set: CapabilitySet) -> Vec<&'static str> {
    let named = NAMES.iter().enumerate().filter(|(number, _)| set.bits() >> number & 1 == 1);
    named.map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_reduced_to_what_the_kernel_takes() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: without root's capabilities nothing can be granted");
            return;
        }
        let some = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let asked = Capabilities {
            bounding: some(&["CAP_KILL", "CAP_CHOWN"]),
            effective: some(&["CAP_KILL", "CAP_CHOWN"]),
            permitted: some(&["CAP_KILL"]),
            inheritable: some(&["CAP_CHOWN", "CAP_SETUID"]),
            ambient: some(&["CAP_KILL", "CAP_NOTHING"]),
        };
        let (sets, warnings) = Sets::grantable(&asked).unwrap();
        assert_eq!(names(sets.effective), ["CAP_KILL"]);
        assert_eq!(names(sets.inheritable), ["CAP_CHOWN"]);
        assert_eq!(names(sets.ambient), Vec::<&str>::new());
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }
}
