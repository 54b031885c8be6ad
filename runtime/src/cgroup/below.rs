//! `exec --cgroup`: a cgroup below that of the container.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::host::{Hierarchy, Version};
use crate::error::{Error, Result};

/// `[CONTROLLERS:]PATH`: a path from the container's cgroup, in the hierarchies of version 1 that have one of the
/// controllers, or without them in all hierarchies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    controllers: Vec<String>,
    path: PathBuf,
}

impl FromStr for Below {
    type Err = Error;

    fn from_str(given: &str) -> Result<Self> {
        let (controllers, path) = match given.split_once(':') {
            Some((controllers, path)) => (controllers.split(',').map(str::to_owned).collect(), path),
            None => (Vec::new(), given),
        };
        let path = Path::new(path.trim_start_matches('/'));
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Error::new(format!(
                "`{given}` must be a path below the container's cgroup, without `.` and `..`"
            )));
        }
        Ok(Self { controllers, path: path.into() })
    }
}

impl Below {
    fn names(&self, hierarchy: &Hierarchy) -> bool {
        hierarchy.version == Version::V1 && self.controllers.iter().any(|controller| hierarchy.has(controller))
    }
}

/// The cgroup in one hierarchy, from that of the container: what its controllers are named for, else what is for all.
pub(super) fn path_in<'a>(chosen: &'a [Below], hierarchy: &Hierarchy) -> &'a Path {
    let named = chosen.iter().find(|below| below.names(hierarchy));
    let found = named.or_else(|| chosen.iter().find(|below| below.controllers.is_empty()));
    found.map_or(Path::new(""), |below| &below.path)
}

/// Checks that each choice has a hierarchy that it is for.
///
/// # Errors
/// When there is none with its controllers, as on a host of version 2 alone.
pub(super) fn check(chosen: &[Below], hierarchies: &[&Hierarchy]) -> Result<()> {
    let unfit =
        |below: &&Below| !below.controllers.is_empty() && !hierarchies.iter().any(|hierarchy| below.names(hierarchy));
    chosen.iter().find(unfit).map_or(Ok(()), |below| {
        let names = below.controllers.join(",");
        Err(Error::new(format!(
            "--cgroup: no hierarchy of version 1 has the controller `{names}`; give the path alone"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legacy(controller: &str) -> Hierarchy {
        let (mount, own) = ("/m".into(), "/".into());
        Hierarchy { mount, version: Version::V1, controllers: vec![controller.into()], own }
    }

    #[test]
    fn a_path_stays_below() {
        for given in ["..", "/../x", "cpu:../x", "a/./../b"] {
            assert!(given.parse::<Below>().is_err(), "{given}");
        }
        for given in ["/", "", "/x/y", "cpu,memory:/x"] {
            assert!(given.parse::<Below>().is_ok(), "{given}");
        }
    }

    #[test]
    fn what_names_a_controller_goes_first() {
        let chosen: Vec<Below> = ["/all", "cpu:/one"].map(|given| given.parse().unwrap()).into();
        assert_eq!(path_in(&chosen, &legacy("cpu")), Path::new("one"));
        assert_eq!(path_in(&chosen, &legacy("memory")), Path::new("all"));
        assert_eq!(path_in(&chosen[1..], &legacy("memory")), Path::new(""));
        assert!(check(&chosen, &[&legacy("memory")]).is_err());
        assert!(check(&chosen, &[&legacy("cpu")]).is_ok());
    }
}
