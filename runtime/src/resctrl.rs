//! Cache and memory bandwidth of a container. Specification: `config-linux.md`, Intel RDT; kernel documentation:
//! `arch/x86/resctrl.rst`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::IntelRdt;
use crate::error::{Context, Error, Result};

/// The groups of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// The class of service.
    class: PathBuf,
    /// The monitoring group.
    monitoring: Option<PathBuf>,
    /// What the container makes, and so removes: inner ones first.
    own: Vec<PathBuf>,
}

impl Groups {
    /// Decides which groups container `id` uses. Nothing is made yet.
    ///
    /// # Errors
    /// When resctrl is not mounted, a prepared class is missing, or one that exists has other schemas.
    pub fn choose(rdt: &IntelRdt, id: &str) -> Result<Self> {
        Self::choose_below(&mount_point()?, rdt, id).doing(|| "linux.intelRdt".into())
    }

    fn choose_below(mount: &Path, rdt: &IntelRdt, id: &str) -> Result<Self> {
        let class = match rdt.clos_id.as_deref() {
            None => mount.join(id),
            Some("/") => mount.to_owned(),
            Some(name) if !matches!(name, "" | "." | "..") && !name.contains('/') => mount.join(name),
            Some(name) => return Err(Error::new(format!("closID: `{name}` is no name of a directory"))),
        };
        let there = class.is_dir();
        let schemas = schemas(rdt);
        if rdt.clos_id.is_some() && schemas.is_empty() && !there {
            return Err(Error::new(format!(
                "closID: `{}` does not exist, and no schema says how to make it",
                class.display()
            )));
        }
        if rdt.clos_id.is_some() && there {
            compare(&class, rdt)?;
        }
        let monitoring = rdt.enable_monitoring.then(|| class.join("mon_groups").join(id));
        let own_class = (rdt.clos_id.is_none() && !there).then(|| class.clone());
        Ok(Self { own: monitoring.iter().cloned().chain(own_class).collect(), class, monitoring })
    }

    /// Makes what is missing and writes the schemas, in the order of the specification.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn make(&self, rdt: &IntelRdt) -> Result<()> {
        make_directory(&self.class)?;
        for schema in schemas(rdt) {
            let path = self.class.join("schemata");
            fs::write(&path, format!("{schema}\n")).doing(|| format!("write `{schema}` to `{}`", path.display()))?;
        }
        self.monitoring.as_deref().map_or(Ok(()), make_directory)
    }

    /// Puts a process into the groups.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn add(&self, pid: i32) -> Result<()> {
        for group in std::iter::once(&self.class).chain(&self.monitoring) {
            let path = group.join("tasks");
            fs::write(&path, pid.to_string()).doing(|| format!("write the process to `{}`", path.display()))?;
        }
        Ok(())
    }

    /// Removes what the container made.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn remove(&self) -> Result<()> {
        for path in &self.own {
            match fs::remove_dir(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.doing(|| format!("remove `{}`", path.display()))?,
            }
        }
        Ok(())
    }
}

/// The schemas in the order in which they are written.
fn schemas(rdt: &IntelRdt) -> Vec<&str> {
    let named = rdt.l3_cache_schema.iter().chain(&rdt.mem_bw_schema).chain(&rdt.schemata);
    named.flat_map(|schema| schema.lines()).map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A class that others made must have the schemas that are asked for.
fn compare(class: &Path, rdt: &IntelRdt) -> Result<()> {
    let wanted = rdt.l3_cache_schema.iter().chain(&rdt.mem_bw_schema).flat_map(|schema| schema.lines()).map(str::trim);
    let path = class.join("schemata");
    let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
    let there: Vec<_> = text.lines().map(str::trim).collect();
    match wanted.filter(|line| !line.is_empty()).find(|line| !there.contains(line)) {
        Some(line) => Err(Error::new(format!("`{}` exists and has not `{line}`", class.display()))),
        None => Ok(()),
    }
}

fn make_directory(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.doing(|| format!("make `{}`", path.display())),
    }
}

/// Where resctrl is mounted. proc_pid_mountinfo(5): the type follows a lone hyphen.
fn mount_point() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").doing(|| "read the mounts".into())?;
    let found = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        kind.starts_with("resctrl ").then(|| place.split(' ').nth(4)).flatten()
    });
    found.map(PathBuf::from).ok_or_else(|| Error::new("linux.intelRdt: no resctrl file system is mounted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rdt(text: &str) -> IntelRdt {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_class_of_its_own_is_made_and_removed() {
        let mount = tempfile::tempdir().unwrap();
        let rdt = rdt(r#"{"l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=20"}"#);
        let groups = Groups::choose_below(mount.path(), &rdt, "one").unwrap();
        assert_eq!(schemas(&rdt), ["L3:0=f", "MB:0=20"]);
        groups.make(&rdt).unwrap();
        assert!(mount.path().join("one").is_dir());
        fs::remove_file(mount.path().join("one/schemata")).unwrap();
        groups.remove().unwrap();
        assert!(!mount.path().join("one").exists());
    }

    #[test]
    fn a_class_of_others_is_checked_and_kept() {
        let mount = tempfile::tempdir().unwrap();
        assert!(Groups::choose_below(mount.path(), &rdt(r#"{"closID":"theirs"}"#), "one").is_err(), "it is missing");
        fs::create_dir(mount.path().join("theirs")).unwrap();
        fs::write(mount.path().join("theirs/schemata"), "L3:0=f\n").unwrap();
        let same = rdt(r#"{"closID":"theirs","l3CacheSchema":"L3:0=f"}"#);
        assert_eq!(Groups::choose_below(mount.path(), &same, "one").unwrap().own, Vec::<PathBuf>::new());
        let other = rdt(r#"{"closID":"theirs","l3CacheSchema":"L3:0=1"}"#);
        assert!(Groups::choose_below(mount.path(), &other, "one").is_err());
    }
}
