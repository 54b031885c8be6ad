//! Where the containers of a benchmark are made: bundles, names and cgroups.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll_engine::cgroup::{self, Hierarchy};
use plimsoll_engine::run_sandbox::RunSandbox;
use plimsoll_fixtures::bundle::Names;
use plimsoll_fixtures::payload::{self, Arch};
use plimsoll_fixtures::{Bundle, Config};
use plimsoll_foreign::read;
use serde_json::{Value, json};

use crate::floor;
use crate::scenario::Scenario;

/// The program of a container that stamps the clock and ends; any container has it, for `exec`.
pub const STAMP: &str = "/stamp";
/// The program that stamps the clock and stays.
pub const STAY: &str = "/stamp-and-stay";

/// A container that can be made again and again, one at a time.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// Its bundle.
    pub bundle: PathBuf,
    /// Where the runtime is asked to write its process id.
    pub pid_file: PathBuf,
    /// Where its control group is, while there is one, in each hierarchy.
    pub groups: Vec<PathBuf>,
}

/// Makes sites.
#[derive(Debug)]
pub struct Sites<'w> {
    sandbox: &'w RunSandbox,
    hierarchies: Vec<Hierarchy>,
}

impl<'w> Sites<'w> {
    /// A place in a sandbox.
    ///
    /// # Errors
    /// When the hierarchies of control groups cannot be read, or the group above all others cannot be made.
    pub fn new(sandbox: &'w RunSandbox) -> io::Result<Self> {
        let hierarchies = cgroup::hierarchies()?;
        for hierarchy in &hierarchies {
            make_group(&hierarchy.mount.join(sandbox.run.name()))?;
        }
        Ok(Self { sandbox, hierarchies })
    }

    /// A container of this scenario whose program is `program`. `tag` tells it from all others.
    ///
    /// # Errors
    /// When the bundle cannot be made.
    pub fn site(&self, tag: &str, scenario: &Scenario, program: &str) -> io::Result<Site> {
        let id = format!("p{}-{tag}", self.sandbox.run);
        let cgroup = format!("/{}/{id}", self.sandbox.run.name());
        let dir = self.sandbox.dir.join(&id);
        let names = Names { id: &id, cgroup: &cgroup, probe: &self.sandbox.probe };
        let bundle = Bundle::build(&dir, &scenario.recipe, names, Config::clone).map_err(io::Error::other)?;
        let mut config = bundle.config.clone();
        if let Some(theirs) = &scenario.bundle {
            config = borrowed(theirs, &bundle, &cgroup)?;
        }
        config.0["process"]["args"] = json!([program]);
        bundle.write_config(config.0.to_string().as_bytes()).map_err(io::Error::other)?;
        // Who has no plan cannot be the floor, and says so when it is called.
        if let Ok(plan) = floor::plan(&config, &dir, &self.hierarchies) {
            plan.write(&dir.join(floor::PLAN))?;
        }
        let programs = [(STAMP, payload::stamp(Arch::host())), (STAY, payload::stamp_and_pause(Arch::host()))];
        for (path, image) in programs {
            let path = bundle.rootfs().join(&path[1..]);
            fs::write(&path, image)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        let groups = self.hierarchies.iter().map(|one| one.mount.join(&cgroup[1..])).collect();
        Ok(Site { pid_file: self.sandbox.dir.join(format!("{id}.pid")), bundle: dir, id, groups })
    }
}

/// The group that holds those of all containers, made ahead so that no runtime is the one that has to. Version 1 takes no
/// process into a group before that has processors and memory nodes of its own.
fn make_group(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
        _ => {}
    }
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let file = dir.join(name);
        if dir.join("tasks").exists() && file.exists() {
            fs::write(file, read::kernel_bytes(dir.with_file_name(name))?)?;
        }
    }
    Ok(())
}

/// The configuration of a user's bundle over an overlay of its root filesystem, so that nothing is written there.
fn borrowed(theirs: &Path, bundle: &Bundle, cgroup: &str) -> io::Result<Config> {
    let named = |path: &Path, why: &io::Error| io::Error::new(why.kind(), format!("{}: {why}", path.display()));
    let path = theirs.join("config.json");
    let text = read::given(&path, read::DOCUMENT).map_err(|why| named(&path, &why.into()))?;
    let mut config: Value = serde_json::from_str(&text).map_err(|why| named(&path, &why.into()))?;
    let lower = fs::canonicalize(theirs.join(config["root"]["path"].as_str().unwrap_or("rootfs")))?;
    let (upper, work) = (bundle.dir.join("upper"), bundle.dir.join("work"));
    fs::create_dir(&upper)?;
    fs::create_dir(&work)?;
    let options = format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
    mount(Some("plimsoll"), &bundle.rootfs(), Some("overlay"), MsFlags::empty(), Some(options.as_str()))
        .map_err(|why| named(&lower, &why.into()))?;
    config["root"]["path"] = json!(bundle.rootfs());
    config["process"]["terminal"] = json!(false);
    config["linux"]["cgroupsPath"] = json!(cgroup);
    Ok(Config(config))
}

impl Site {
    /// A directory of its control group that is still there.
    #[must_use]
    pub fn group_left(&self) -> Option<&PathBuf> {
        self.groups.iter().find(|group| group.exists())
    }

    /// Takes away what a failed cycle has left on the host.
    ///
    /// # Errors
    /// When it resists.
    pub fn clear(&self) -> io::Result<()> {
        for group in self.groups.iter().filter(|group| group.exists()) {
            cgroup::thaw_below(group)?;
            for pid in read::kernel(group.join("cgroup.procs"))?.lines().filter_map(|line| line.parse().ok()) {
                match kill(Pid::from_raw(pid), Signal::SIGKILL) {
                    Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                    Err(why) => return Err(why.into()),
                }
            }
            cgroup::remove_tree(group)?;
        }
        Ok(())
    }
}
