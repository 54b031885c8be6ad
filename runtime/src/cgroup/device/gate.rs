//! The moment from which the rules hold.
//!
//! The container's own nodes must be made first, and `mknod` is an access that a rule can deny. So the rules are
//! prepared before the clone and take effect when the gate is closed, by the child once its nodes are made.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use super::policy::Policy;
use super::{program, v1};
use crate::cgroup::group::Group;
use crate::cgroup::host::in_user_namespace;
use crate::cgroup::sys;
use crate::config::DeviceRule;
use crate::error::{Context, Error, Result};

/// Prepared device rules. Its descriptors are closed on exec.
#[derive(Debug)]
pub struct Gate(Kind);

#[derive(Debug)]
enum Kind {
    /// No rule to be carried out.
    Open,
    /// Lines for two files of version 1, which may be open already.
    Files { group: Group, opened: Option<Files>, lines: Vec<v1::Line> },
    /// A loaded program and the cgroup it is for.
    Program { dir: PathBuf, program: OwnedFd, cgroup: File },
}

/// `devices.allow` and `devices.deny`.
#[derive(Debug)]
struct Files {
    allow: File,
    deny: File,
}

/// When the files of version 1 are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// With the preparation, so that whoever closes the gate need not see them.
    Early,
    /// When the gate is closed: they are not there before, or a manager may make them anew until then.
    Late,
}

impl Gate {
    /// A gate that stays open: the cgroup keeps the rules it has.
    pub(in crate::cgroup) fn open() -> Self {
        Self(Kind::Open)
    }

    /// Makes the rules hold, for all processes in the cgroup and from now on. The caller needs CAP_SYS_ADMIN in the
    /// initial user namespace: a child that is in one of its own leaves this to the runtime, whose container makes no
    /// nodes in that case.
    ///
    /// # Errors
    /// When the kernel refuses, such as for a rule that allows more than the cgroup above.
    pub fn close(self) -> Result<()> {
        match self.0 {
            Kind::Open => Ok(()),
            Kind::Files { group, opened, lines } => {
                let mut files = opened.map_or_else(|| Files::open(&group), Ok)?;
                lines.iter().try_for_each(|(allows, line)| {
                    let (file, name) = if *allows { (&mut files.allow, "allow") } else { (&mut files.deny, "deny") };
                    file.write_all(line.as_bytes())
                        .doing(|| format!("write `{line}` to `{}/devices.{name}`", group.dir.display()))
                })
            }
            Kind::Program { dir, program, cgroup } => sys::attach_device_program(cgroup.as_fd(), program.as_fd())
                .doing(|| format!("attach the device rules to `{}`", dir.display())),
        }
    }
}

impl Files {
    fn open(group: &Group) -> Result<Self> {
        let open = |name: &str| group.open_to_write(name).doing(|| format!("open `{}`", group.file(name).display()));
        Ok(Self { allow: open("devices.allow")?, deny: open("devices.deny")? })
    }
}

/// Prepares rules for the cgroup of the version 1 controller, else for that of version 2.
pub(in crate::cgroup) fn prepare(
    rules: &[DeviceRule],
    legacy: Option<&Group>,
    unified: Option<&Group>,
    opening: Opening,
) -> Result<Gate> {
    if rules.is_empty() {
        return Ok(Gate::open());
    }
    let policy = Policy::new(rules);
    match (legacy, unified) {
        (Some(group), _) => {
            let lines = v1::lines(&policy)?;
            let opened = if opening == Opening::Early { Some(Files::open(group)?) } else { None };
            Ok(Gate(Kind::Files { group: group.clone(), opened, lines }))
        }
        (None, Some(group)) => program(&policy, group),
        (None, None) => {
            Err(Error::new("linux.resources.devices: no mounted cgroup hierarchy has the controller `devices`"))
        }
    }
}

/// A runtime inside a user namespace may load no program, and needs none: there it can make no node, and each one that
/// it binds is the host's to allow.
fn program(policy: &Policy, group: &Group) -> Result<Gate> {
    let program = match sys::load_device_program(&program::compile(policy)) {
        Err(rustix::io::Errno::PERM) if in_user_namespace() => return Ok(Gate::open()),
        loaded => loaded.doing(|| "load the device rules into the kernel".into())?,
    };
    let cgroup = File::open(&group.dir).doing(|| format!("open the cgroup `{}`", group.dir.display()))?;
    Ok(Gate(Kind::Program { dir: group.dir.clone(), program, cgroup }))
}
