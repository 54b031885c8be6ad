//! What a check needs, and whether this host and this runtime have it. What is missing gives the reason of a skip.

use std::fs;

use crate::profile::{Op, Profile};

/// Something that must be there for a check to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Containers share the host's kernel, so that the host can see them.
    HostView,
    /// The runtime has this operation.
    Operation(Op),
    /// The kernel has this type of namespace, as named in `/proc/self/ns`.
    Namespace(&'static str),
    /// The kernel has this filesystem, as named in `/proc/filesystems`.
    Filesystem(&'static str),
    /// The harness has this capability.
    Capability(&'static str),
    /// The kernel is at least this old.
    Kernel(u32, u32),
    /// A cgroup controller, by its name, is there.
    Controller(&'static str),
    /// A file of the host is there.
    File(&'static str),
}

/// What this host and this runtime have.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// Operations and whether the kernel is shared.
    pub profile: Profile,
    /// `uname -r`, as far as it is numbers.
    pub kernel: (u32, u32),
    /// Names in `/proc/filesystems`.
    pub filesystems: Vec<String>,
    /// Cgroup controllers that are mounted.
    pub controllers: Vec<String>,
    /// Capabilities that the harness lacks.
    pub missing_capabilities: Vec<String>,
}

impl Need {
    /// Why it is not met, in words that tell what would meet it.
    #[must_use]
    pub fn unmet(&self, have: &Abilities) -> Option<String> {
        let missing = |met: bool, why: String| if met { None } else { Some(why) };
        match *self {
            Self::HostView => missing(
                have.profile.shares_kernel,
                "containers of this runtime have a kernel of their own: the host sees nothing of them".to_owned(),
            ),
            Self::Operation(op) => missing(
                have.profile.operation.contains_key(&op),
                format!("profile `{}` has no operation `{op}`", have.profile.name),
            ),
            Self::Namespace(kind) => missing(
                fs::exists(format!("/proc/self/ns/{kind}")).unwrap_or(false),
                format!("the kernel has no {kind} namespaces"),
            ),
            Self::Filesystem(name) => missing(
                have.filesystems.iter().any(|known| known == name),
                format!("the kernel has no {name} filesystem: load its module"),
            ),
            Self::Capability(name) => missing(
                !have.missing_capabilities.iter().any(|missing| missing == name),
                format!("the harness runs without {name}: run it with all capabilities"),
            ),
            Self::Kernel(major, minor) => {
                missing(have.kernel >= (major, minor), format!("needs kernel {major}.{minor} or newer"))
            }
            Self::Controller(name) => missing(
                have.controllers.iter().any(|known| known == name),
                format!("cgroup controller {name} is not available: mount or delegate it"),
            ),
            Self::File(path) => missing(fs::exists(path).unwrap_or(false), format!("{path} is not there")),
        }
    }
}
