//! Device rules that are prepared and then applied.
//!
//! The container's own nodes must be made first, and `mknod` is an access that a rule can deny. So the rules are
//! prepared while the init process makes its mounts and nodes, and take effect once it says
//! that they are made, before any hook or program of the container runs.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use super::policy::Policy;
use super::{program, v1};
use crate::cgroup::group::Group;
use crate::cgroup::sys;
use crate::config::DeviceRule;
use crate::error::{Context, Error, Result};
use crate::procfs::in_user_namespace;

/// Prepared device rules.
#[derive(Debug)]
pub struct PreparedRules(Kind);

#[derive(Debug)]
enum Kind {
    /// No rules.
    None,
    /// Lines for two files of version 1, `devices.allow` and `devices.deny`.
    Files { group: Group, lines: Vec<v1::Line> },
    /// A loaded program and the cgroup it is for.
    Program { dir: PathBuf, program: OwnedFd },
}

impl PreparedRules {
    /// No rules to apply: the cgroup keeps the rules it has.
    pub(in crate::cgroup) fn none() -> Self {
        Self(Kind::None)
    }

    /// Makes the rules hold, for all processes in the cgroup and from now on. A runtime inside a user namespace may set none,
    /// and needs none: there it can make no node, and each one that it binds is the host's to allow.
    ///
    /// # Errors
    /// When the kernel refuses, such as for a rule that allows more than the cgroup above.
    pub fn apply(self) -> Result<()> {
        match self.0 {
            Kind::None => Ok(()),
            Kind::Files { group, lines } => match write_lines(&group, &lines) {
                Err(error) if error.errno() == Some(libc::EPERM) && in_user_namespace() => Ok(()),
                written => written,
            },
            Kind::Program { dir, program } => {
                let cgroup = File::open(&dir).doing(|| format!("open the cgroup `{}`", dir.display()))?;
                sys::attach_device_program(cgroup.as_fd(), program.as_fd())
                    .doing(|| format!("attach the device rules to `{}`", dir.display()))
            }
        }
    }
}

fn write_lines(group: &Group, lines: &[v1::Line]) -> Result<()> {
    let open = |name: &str| group.open_to_write(name).doing(|| format!("open `{}`", group.file(name).display()));
    let (mut allow, mut deny) = (open("devices.allow")?, open("devices.deny")?);
    lines.iter().try_for_each(|(allows, line)| {
        let (file, name) = if *allows { (&mut allow, "allow") } else { (&mut deny, "deny") };
        file.write_all(line.as_bytes()).doing(|| format!("write `{line}` to `{}/devices.{name}`", group.dir.display()))
    })
}

/// Prepares rules for the cgroup of the version 1 controller, else for that of version 2.
pub(in crate::cgroup) fn prepare(
    rules: &[DeviceRule],
    legacy: Option<&Group>,
    unified: Option<&Group>,
) -> Result<PreparedRules> {
    if rules.is_empty() {
        return Ok(PreparedRules::none());
    }
    let policy = Policy::new(rules);
    match (legacy, unified) {
        (Some(group), _) => Ok(PreparedRules(Kind::Files { group: group.clone(), lines: v1::lines(&policy)? })),
        (None, Some(group)) => program(&policy, group),
        (None, None) => {
            Err(Error::new("linux.resources.devices: no mounted cgroup hierarchy has the controller `devices`"))
        }
    }
}

fn program(policy: &Policy, group: &Group) -> Result<PreparedRules> {
    match sys::load_device_program(&program::compile(policy)) {
        Err(rustix::io::Errno::PERM) if in_user_namespace() => Ok(PreparedRules::none()),
        loaded => {
            let program = loaded.doing(|| "load the device rules into the kernel".into())?;
            Ok(PreparedRules(Kind::Program { dir: group.dir.clone(), program }))
        }
    }
}
