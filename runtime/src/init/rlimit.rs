//! Resource limits. getrlimit(2).

use rustix::process::{Resource, Rlimit as Limit};

use crate::config::Rlimit;
use crate::error::{Context, Error, Result};

/// The resources by their names.
const RESOURCES: [(&str, Resource); 16] = [
    ("RLIMIT_AS", Resource::As),
    ("RLIMIT_CORE", Resource::Core),
    ("RLIMIT_CPU", Resource::Cpu),
    ("RLIMIT_DATA", Resource::Data),
    ("RLIMIT_FSIZE", Resource::Fsize),
    ("RLIMIT_LOCKS", Resource::Locks),
    ("RLIMIT_MEMLOCK", Resource::Memlock),
    ("RLIMIT_MSGQUEUE", Resource::Msgqueue),
    ("RLIMIT_NICE", Resource::Nice),
    ("RLIMIT_NOFILE", Resource::Nofile),
    ("RLIMIT_NPROC", Resource::Nproc),
    ("RLIMIT_RSS", Resource::Rss),
    ("RLIMIT_RTPRIO", Resource::Rtprio),
    ("RLIMIT_RTTIME", Resource::Rttime),
    ("RLIMIT_SIGPENDING", Resource::Sigpending),
    ("RLIMIT_STACK", Resource::Stack),
];

/// The resource called `name`.
pub fn number(name: &str) -> Option<Resource> {
    RESOURCES.iter().find(|(known, _)| *known == name).map(|(_, resource)| *resource)
}

/// Raises the hard limits of the runtime itself where the container wants higher ones: in a user namespace the
/// container's process could not. The soft limits stay.
///
/// # Errors
/// When the runtime may not raise one.
pub fn raise(limits: &[Rlimit]) -> Result<()> {
    for limit in limits {
        let Some(resource) = number(&limit.resource) else { continue };
        let now = rustix::process::getrlimit(resource);
        let wanted = finite(limit.hard);
        if now.maximum.is_some_and(|maximum| wanted.is_none_or(|wanted| wanted > maximum)) {
            let raised = Limit { current: now.current, maximum: wanted };
            rustix::process::setrlimit(resource, raised).doing(|| format!("raise {}", limit.resource))?;
        }
    }
    Ok(())
}

/// How many mounts surely find descriptors for their sources.
const FEW_MOUNTS: usize = 500;

/// Makes room for a descriptor for each of many mounts. Returns the limit as it was, which is that of the program.
///
/// # Errors
/// As setrlimit(2).
pub fn make_room(mounts: usize) -> Result<Option<Limit>> {
    if mounts <= FEW_MOUNTS {
        return Ok(None);
    }
    let former = rustix::process::getrlimit(Resource::Nofile);
    restore(&Limit { current: former.maximum, maximum: former.maximum })?;
    Ok(Some(former))
}

/// Sets the limit of descriptors to what it was.
///
/// # Errors
/// As setrlimit(2).
pub fn restore(former: &Limit) -> Result<()> {
    rustix::process::setrlimit(Resource::Nofile, *former).doing(|| "limit the descriptors".into())
}

/// Sets the limits of this process.
///
/// # Errors
/// As setrlimit(2).
pub fn apply(limits: &[Rlimit]) -> Result<()> {
    for limit in limits {
        let resource = number(&limit.resource);
        let resource = resource.ok_or_else(|| Error::new(format!("`{}` is no resource", limit.resource)))?;
        let wanted = Limit { current: finite(limit.soft), maximum: finite(limit.hard) };
        rustix::process::setrlimit(resource, wanted).doing(|| format!("set {}", limit.resource))?;
    }
    Ok(())
}

/// The largest number means that there is no limit.
fn finite(limit: u64) -> Option<u64> {
    (limit != u64::MAX).then_some(limit)
}
