//! A mount of type `cgroup`: the container's own cgroup, in all hierarchies of the host.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::Mode;

use super::beneath::Root;
use super::detached::{attach, attach_at, clone_tree, new_tmpfs};
use super::options::Options;
use crate::cgroup::{Bind, Mounts};
use crate::config::Mount;
use crate::error::{Context, Error, Result};
use crate::sys::{self, MountAttr};

/// Whether an entry asks for the cgroup.
pub fn is_cgroup(mount: &Mount) -> bool {
    let kind = mount.kind.as_deref();
    matches!(kind, Some("cgroup" | "cgroup2")) && Options::parse(&mount.options).bind.is_none()
}

/// Shows the container's cgroup at the destination of `mount`.
///
/// # Errors
/// When the kernel refuses a step.
pub fn mount(root: &Root, mount: &Mount, shown: Option<&Mounts>) -> Result<()> {
    let options = Options::parse(&mount.options);
    match shown.ok_or_else(|| Error::new("the container has no cgroup"))? {
        Mounts::Unified(path) => {
            let tree = clone_tree(path, false)?;
            set_attributes(tree.as_fd(), &options)?;
            attach(tree.as_fd(), root.make_directory(&mount.destination)?.as_fd())
        }
        Mounts::Legacy { binds, links } => legacy(root, mount, &options, binds, links),
    }
}

fn set_attributes(tree: BorrowedFd<'_>, options: &Options) -> Result<()> {
    let (set, clear) = (options.attributes(), options.top.clear);
    let attributes = MountAttr { set, clear, recursive: true, ..MountAttr::default() };
    sys::mount_setattr(tree, &attributes).doing(|| "set its attributes".into())
}

/// A tmpfs with a directory for each hierarchy. All get their attributes in the end: nothing can be made on what is
/// read-only.
fn legacy(root: &Root, mount: &Mount, options: &Options, binds: &[Bind], links: &[(String, String)]) -> Result<()> {
    let base = new_tmpfs(&[("mode", "755")], 0)?;
    attach(base.as_fd(), root.make_directory(&mount.destination)?.as_fd())?;
    for bind in binds {
        let doing = || format!("show the hierarchy {}", bind.name);
        rustix::fs::mkdirat(&base, &bind.name, Mode::from_raw_mode(0o755)).doing(doing)?;
        let tree = clone_tree(&bind.source, false).doing(doing)?;
        attach_at(tree.as_fd(), base.as_fd(), &bind.name).doing(doing)?;
    }
    for (name, target) in links {
        rustix::fs::symlinkat(target.as_str(), &base, name.as_str()).doing(|| format!("make the link {name}"))?;
    }
    set_attributes(base.as_fd(), options)
}
