//! The control groups that a run makes for its checks: in each hierarchy one for the run, and in that one for each check.
//! The latter is the root of the hierarchy as the check and its runtime see it:
//! ```text
//! /                           the host's
//! └─ plimsoll-RUN             the run's
//!    └─ TAG                   the check's, with limits; what the check sees as `/`
//!       ├─ harness            version 2 alone: where the harness stands, since a group with processes hands nothing on
//!       └─ …                  what the runtime makes; each `cgroupsPath` that the harness names is right here
//! ```

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use plimsoll_foreign::read;

use super::limit::{self, Limits};
use super::tree::kill_below;
use super::{Hierarchy, hierarchies, remove_tree, thaw_below};
use crate::system::proc::files::{about, if_there};
use crate::system::proc::mountinfo::{self, Mount};
use crate::system::saved_mounts;

/// The cgroup of the harness in version 2.
pub(crate) const LEAF: &str = "harness";

/// What a group of the version 1 controller `cpuset` has to have before it takes a process in.
const CPUSET: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// The microseconds of each second that a run takes from the host's budget for real-time processes, for those of its checks that
/// are about it, and what each of these gets. Version 1 alone has such budgets.
const REAL_TIME: [(&str, &str); 2] = [("cpu.rt_runtime_us", "200000"), ("cpu.rt_runtime_us", "25000")];

/// The groups of a run.
#[derive(Debug)]
pub struct RunGroups {
    name: String,
    places: Vec<Place>,
    /// Controllers that this run had the host's root of version 2 hand on: the file, and their names.
    handed_on: Vec<(PathBuf, String)>,
    /// Kept open: its number is in the path of the group.
    hidden: Option<OwnedFd>,
}

/// A hierarchy, and the run's group in it.
#[derive(Debug)]
struct Place {
    v2: bool,
    /// Where checks see it, from the same mount: none where the view of the run hides it.
    points: Vec<PathBuf>,
    /// The run's group.
    dir: PathBuf,
    /// What each new cpuset is given.
    cpuset: Vec<(&'static str, Vec<u8>)>,
    /// What each check is limited to here.
    limits: Limits,
}

impl RunGroups {
    /// Makes them. `hidden` is the top of a hierarchy of version 2 that this mount namespace does not show.
    ///
    /// # Errors
    /// When one cannot be made: then there is none.
    pub fn make(name: &str, hidden: Option<OwnedFd>) -> io::Result<Self> {
        let mut made = Self { name: name.to_owned(), places: Vec::new(), handed_on: Vec::new(), hidden };
        match made.fill() {
            Ok(()) if made.places.is_empty() => Err(io::Error::other("no hierarchy of control groups is mounted")),
            Ok(()) => Ok(made),
            Err(why) => {
                made.remove()?;
                Err(why)
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mounts = saved_mounts::mounts()?;
        for hierarchy in hierarchies()? {
            let points = points(&mounts, &hierarchy);
            self.add(&hierarchy, points)?;
        }
        let Some(top) = &self.hidden else { return Ok(()) };
        let mount = PathBuf::from(format!("/proc/self/fd/{}", top.as_raw_fd()));
        self.add(&Hierarchy { controllers: Vec::new(), v2: true, mount, root: "/".to_owned() }, Vec::new())
    }

    fn add(&mut self, hierarchy: &Hierarchy, points: Vec<PathBuf>) -> io::Result<()> {
        let top = &hierarchy.mount;
        let dir = top.join(&self.name);
        fs::create_dir(&dir).map_err(|why| about(format!("make the control group {}", dir.display()), &why))?;
        let (controllers, v2) = (&hierarchy.controllers, hierarchy.v2);
        let mut cpuset = Vec::new();
        for file in CPUSET.iter().filter(|_| controllers.iter().any(|name| name == "cpuset")) {
            cpuset.push((*file, read::kernel_bytes(top.join(file))?));
        }
        let limits = Limits::default();
        self.places.push(Place { v2, points, dir: dir.clone(), cpuset: cpuset.clone(), limits });
        initialise(&cpuset, &dir)?;
        if v2 {
            // A group at the top that has processes, as in a container, hands on what it did before.
            self.handed_on.extend(hand_on(top)?.into_iter().map(|name| (top.join(SUBTREE), name)));
            hand_on(&dir)?;
        } else {
            // Kernels before 5.11 count a group without those in it unless told so; later ones always do.
            drop(fs::write(dir.join("memory.use_hierarchy"), "1"));
        }
        weigh(&dir)?;
        // A group has these files once the one above it has handed their controllers on.
        Limits::of_run(&dir)?.set(&dir)?;
        let limits = Limits::known_to(&dir)?;
        self.places.iter_mut().filter(|place| place.dir == dir).for_each(|place| place.limits = limits.clone());
        Ok(())
    }

    /// Makes the groups of a check.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn check(&self, tag: &str) -> io::Result<CheckGroups> {
        let mut groups = CheckGroups { groups: Vec::new() };
        for place in &self.places {
            let dir = place.dir.join(tag);
            let group = Group { v2: place.v2, dir, points: place.points.clone(), within: self.within(tag) };
            let made = place.furnish(&group.dir);
            groups.groups.push(group);
            if let Err(why) = made {
                groups.remove()?;
                return Err(about(format!("the control groups of {tag}"), &why));
            }
        }
        Ok(groups)
    }

    /// The path of a check's group from the top of its hierarchy.
    fn within(&self, tag: &str) -> PathBuf {
        Path::new(&self.name).join(tag)
    }

    /// Lets a check have real-time processes, where groups of version 1 need a budget for that and the host has some left: the
    /// check sees whether it has.
    pub fn give_real_time(&self, tag: &str) {
        for place in &self.places {
            for (dir, (file, budget)) in [place.dir.clone(), place.dir.join(tag)].iter().zip(REAL_TIME) {
                if dir.join(file).exists() {
                    drop(fs::write(dir.join(file), budget));
                }
            }
        }
    }

    /// Removes them, and takes back from the host's root what it hands on for this run alone.
    ///
    /// # Errors
    /// When one stays busy.
    pub fn remove(&self) -> io::Result<()> {
        for place in &self.places {
            remove_tree(&place.dir)?;
        }
        for (file, name) in &self.handed_on {
            // Who else has it by now keeps it: the kernel says that it is busy.
            drop(fs::write(file, format!("-{name}")));
        }
        Ok(())
    }
}

/// The mounts that show all of a hierarchy.
fn points(mounts: &[Mount], hierarchy: &Hierarchy) -> Vec<PathBuf> {
    let at = hierarchy.mount.to_string_lossy();
    let Some(shown) = mountinfo::mount_at(mounts, &at) else { return vec![hierarchy.mount.clone()] };
    let alike = |mount: &&Mount| {
        mount.device == shown.device && mount.root == shown.root && mountinfo::is_visible(mounts, mount)
    };
    mounts.iter().filter(alike).map(|mount| PathBuf::from(&mount.point)).collect()
}

const SUBTREE: &str = "cgroup.subtree_control";

/// Lets a group of version 2 hand on all controllers that it has; those that it could not before are given back.
fn hand_on(group: &Path) -> io::Result<Vec<String>> {
    let offered = read::kernel(group.join("cgroup.controllers"))?;
    let before = read::kernel(group.join(SUBTREE))?;
    let had = |name: &&str| before.split_whitespace().any(|one| one == *name);
    let mut new = Vec::new();
    for name in offered.split_whitespace().filter(|name| !had(name)) {
        // One at a time: one that the kernel refuses must not take the others with it.
        if fs::write(group.join(SUBTREE), format!("+{name}")).is_ok() {
            new.push(name.to_owned());
        }
    }
    Ok(new)
}

/// Gives the run's group the share of the processors that its processes had without one: as many as run at once by default.
fn weigh(group: &Path) -> io::Result<()> {
    let processes = std::thread::available_parallelism().map_or(1, usize::from) * 4;
    // The file, what a process alone weighs, and the most that it takes.
    for (file, one, most) in [("cpu.shares", 1024, 262_144), ("cpu.weight", 100, 10_000)] {
        if group.join(file).exists() {
            fs::write(group.join(file), (one * processes).min(most).to_string())?;
        }
    }
    Ok(())
}

impl Place {
    /// Makes the group of a check and what it has in it.
    fn furnish(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)?;
        initialise(&self.cpuset, dir)?;
        if self.v2 {
            fs::create_dir(dir.join(LEAF))?;
        }
        self.limits.set(dir)
    }
}

fn initialise(cpuset: &[(&'static str, Vec<u8>)], dir: &Path) -> io::Result<()> {
    cpuset.iter().try_for_each(|(file, value)| fs::write(dir.join(file), value))
}

/// The groups of a check, one in each hierarchy, as the supervisor sees them.
#[derive(Debug)]
pub struct CheckGroups {
    groups: Vec<Group>,
}

/// A check's group in one hierarchy.
#[derive(Debug)]
struct Group {
    v2: bool,
    dir: PathBuf,
    points: Vec<PathBuf>,
    within: PathBuf,
}

impl CheckGroups {
    fn v2(&self) -> Option<&Group> {
        self.groups.iter().find(|group| group.v2)
    }

    /// The group of version 2, where there is that.
    pub(crate) fn open_root(&self) -> io::Result<Option<OwnedFd>> {
        self.v2().map(|group| Ok(File::open(&group.dir)?.into())).transpose()
    }

    /// The cgroup of the harness in version 2.
    pub(crate) fn open_leaf(&self) -> io::Result<Option<OwnedFd>> {
        self.v2().map(|group| Ok(File::open(group.dir.join(LEAF))?.into())).transpose()
    }

    /// Takes this process, which has a single thread, into the groups of version 1, and in version 2 into the one at `path` from
    /// the check's: unless it was created there.
    pub(crate) fn join(&self, path: Option<&str>) -> io::Result<()> {
        if let (Some(group), Some(path)) = (self.v2(), path) {
            fs::write(group.dir.join(path).join("cgroup.procs"), "0")?;
        }
        // By `tasks` the kernel need not wait until nobody starts or ends a process.
        self.groups.iter().filter(|group| !group.v2).try_for_each(|group| fs::write(group.dir.join("tasks"), "0"))
    }

    /// Lets the group of version 2 hand on all controllers that it has; no process may stand in it.
    pub(crate) fn hand_on(&self) -> io::Result<()> {
        self.v2().map_or(Ok(()), |group| hand_on(&group.dir).map(drop))
    }

    /// Where each hierarchy is mounted, and the path of the check's group from there.
    pub(super) fn describe(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.groups.iter().flat_map(|group| group.points.iter().map(|point| (point.as_path(), group.within.as_path())))
    }

    /// What is in the group of a hierarchy from the start, by its path from there.
    pub(super) fn furnished(&self) -> impl Iterator<Item = (&Path, Vec<PathBuf>)> {
        self.groups.iter().filter_map(|group| {
            let leaf = group.v2.then(|| PathBuf::from(LEAF));
            Some((group.points.first()?.as_path(), leaf.into_iter().collect()))
        })
    }

    /// Kills every process of the check, frozen ones too.
    ///
    /// # Errors
    /// When a group cannot be read or thawed.
    pub fn kill(&self) -> io::Result<()> {
        self.groups.iter().try_for_each(|group| kill_below(&group.dir))?;
        self.groups.iter().try_for_each(|group| thaw_below(&group.dir))
    }

    /// What of the limits the check has reached, in words.
    #[must_use]
    pub fn reached(&self) -> Vec<String> {
        self.groups.iter().flat_map(|group| limit::reached(&group.dir)).collect()
    }

    /// Removes them with all that was made in them, by whatever name, and with the processes in them.
    ///
    /// # Errors
    /// When one resists.
    pub fn remove(&self) -> io::Result<()> {
        self.groups.iter().try_for_each(Group::remove)
    }
}

impl Group {
    fn remove(&self) -> io::Result<()> {
        let leaf = self.v2.then(|| self.dir.join(LEAF));
        for dir in leaf.as_ref().into_iter().chain([&self.dir]) {
            if if_there(fs::remove_dir(dir)).is_err() {
                return self.remove_all();
            }
        }
        Ok(())
    }

    fn remove_all(&self) -> io::Result<()> {
        kill_below(&self.dir)?;
        thaw_below(&self.dir)?;
        remove_tree(&self.dir)
    }
}

#[cfg(test)]
mod tests;
