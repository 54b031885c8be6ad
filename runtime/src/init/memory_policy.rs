//! NUMA memory policy. set_mempolicy(2).

use crate::config::MemoryPolicy;
use crate::error::{Context, Error, Result};
use crate::sys;

/// Whether a mode takes nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nodes {
    Forbidden,
    Optional,
    Needed,
}

/// Modes of linux/mempolicy.h.
const MODES: [(&str, i32, Nodes); 7] = [
    ("MPOL_DEFAULT", 0, Nodes::Forbidden),
    ("MPOL_PREFERRED", 1, Nodes::Optional),
    ("MPOL_BIND", 2, Nodes::Needed),
    ("MPOL_INTERLEAVE", 3, Nodes::Needed),
    ("MPOL_LOCAL", 4, Nodes::Forbidden),
    ("MPOL_PREFERRED_MANY", 5, Nodes::Needed),
    ("MPOL_WEIGHTED_INTERLEAVE", 6, Nodes::Needed),
];

/// Flags of linux/mempolicy.h.
const FLAGS: [(&str, i32); 3] =
    [("MPOL_F_NUMA_BALANCING", 1 << 13), ("MPOL_F_RELATIVE_NODES", 1 << 14), ("MPOL_F_STATIC_NODES", 1 << 15)];

/// The most nodes that a kernel can have.
const HIGHEST_NODE: usize = 1023;

/// The names of the modes.
pub fn modes() -> impl Iterator<Item = &'static str> {
    MODES.iter().map(|(name, ..)| *name)
}

/// The names of the flags.
pub fn flags() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().map(|(name, _)| *name)
}

/// The policy as the kernel takes it: the mode with its flags, and the mask of nodes.
///
/// # Errors
/// The first member that is invalid, by its JSON path.
pub fn parse(policy: &MemoryPolicy) -> Result<(i32, Vec<u64>)> {
    let at = "linux.memoryPolicy";
    let mode = MODES.iter().find(|(name, ..)| *name == policy.mode);
    let &(name, mut mode, nodes) =
        mode.ok_or_else(|| Error::new(format!("{at}.mode: `{}` is no mode", policy.mode)))?;
    for flag in &policy.flags {
        let known = FLAGS.iter().find(|(name, _)| name == flag);
        mode |= known.ok_or_else(|| Error::new(format!("{at}.flags: `{flag}` is no flag")))?.1;
    }
    let given = !policy.nodes.trim().is_empty();
    if given && nodes == Nodes::Forbidden || !given && nodes == Nodes::Needed {
        let verb = if given { "takes no" } else { "needs" };
        return Err(Error::new(format!("{at}.nodes: {name} {verb} nodes")));
    }
    let mut mask = Vec::new();
    if given {
        for node in super::numbers::parse(&policy.nodes, HIGHEST_NODE).doing(|| format!("{at}.nodes"))? {
            mask.resize(mask.len().max(node / 64 + 1), 0);
            mask[node / 64] |= 1 << (node % 64);
        }
    }
    Ok((mode, mask))
}

/// Gives this process the policy.
///
/// # Errors
/// As set_mempolicy(2).
pub fn apply(policy: &MemoryPolicy) -> Result<()> {
    let (mode, nodes) = parse(policy)?;
    sys::set_mempolicy(mode, &nodes).doing(|| format!("set the memory policy {}", policy.mode))
}
