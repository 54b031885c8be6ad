//! Loads the policy of the security module.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::step;
use crate::environment::Lsm;
use crate::policy;

const SELINUX: &str = "/sys/fs/selinux";
const APPARMOR: &str = "/sys/kernel/security/apparmor/.load";

/// Loads our policy into the module that was asked for.
pub(super) fn enforce(lsm: Lsm) -> io::Result<()> {
    match lsm {
        Lsm::None => Ok(()),
        Lsm::Selinux => enforce_selinux(),
        Lsm::Apparmor => {
            there(Path::new(APPARMOR), "AppArmor")?;
            step("load the AppArmor profiles", fs::write(APPARMOR, policy::APPARMOR))
        }
    }
}

fn enforce_selinux() -> io::Result<()> {
    there(Path::new(SELINUX), "SELinux")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(Some("selinuxfs"), SELINUX, Some("selinuxfs"), flags, None::<&str>)?;
    step("load the SELinux policy", fs::write(format!("{SELINUX}/load"), policy::SELINUX))?;
    step("enforce the SELinux policy", fs::write(format!("{SELINUX}/enforce"), "1"))
}

fn there(sign: &Path, name: &str) -> io::Result<()> {
    let missing = || io::Error::other(format!("the kernel has no {name}: take one that was built with it"));
    if sign.exists() { Ok(()) } else { Err(missing()) }
}
