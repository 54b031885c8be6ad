//! A bundle and a state directory of a test's own, and what must not be left behind.

use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The runtime under test, which also is the program in the container: it prints its version and exits with 0.
const RUNTIME: &str = env!("CARGO_BIN_EXE_plimsoll-runtime");

/// A bundle, removed with everything else when this is dropped.
pub struct Bundle {
    dir: tempfile::TempDir,
    cgroup: String,
}

impl Bundle {
    /// Makes a bundle; nothing without the rights to run it.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: making containers needs root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let rootfs = dir.path().join("rootfs");
        fs::create_dir(&rootfs).unwrap();
        if fs::hard_link(RUNTIME, rootfs.join("program")).is_err() {
            fs::copy(RUNTIME, rootfs.join("program")).unwrap();
        }
        let cgroup = format!("plimsoll-robust-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let status = Command::new(RUNTIME).args(["spec", "--bundle"]).arg(dir.path()).status().unwrap();
        assert!(status.success());
        let path = dir.path().join("config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        config["process"]["terminal"] = false.into();
        config["process"]["args"] = serde_json::json!(["/program", "--version"]);
        config["linux"]["cgroupsPath"] = format!("/{cgroup}/one").into();
        fs::write(&path, config.to_string()).unwrap();
        Some(Self { dir, cgroup })
    }

    /// The directory of the bundle.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Lets each container have a cgroup of its own.
    pub fn without_cgroups_path(self) -> Self {
        self.edit(|config| drop(config["linux"].as_object_mut().unwrap().remove("cgroupsPath")));
        self
    }

    /// Leaves terminals the group of their owner: a user namespace with a single id has no other.
    pub fn without_groups_of_terminals(&self) {
        self.edit(|config| {
            for mount in config["mounts"].as_array_mut().unwrap() {
                if let Some(options) = mount.get_mut("options").and_then(|options| options.as_array_mut()) {
                    options.retain(|option| !option.as_str().unwrap().starts_with("gid="));
                }
            }
        });
    }

    /// Sets a member of an object of the configuration.
    pub fn set(&self, object: &str, member: &str, value: serde_json::Value) {
        self.edit(|config| config[object][member] = value);
    }

    fn edit(&self, edit: impl FnOnce(&mut serde_json::Value)) {
        let path = self.dir.path().join("config.json");
        let mut config = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut config);
        fs::write(&path, config.to_string()).unwrap();
    }

    /// Puts an executable file at the root of the container.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.dir.path().join("rootfs").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// The command that does one operation on one container.
    pub fn command(&self, verb: &[&str], id: &str) -> Command {
        let mut command = Command::new(RUNTIME);
        command.arg("--root").arg(self.state()).args(verb).arg(id).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Does one operation, and says whether it succeeded and what it complained of. The container inherits standard
    /// error, so a pipe would not end with the operation.
    pub fn call(&self, verb: &[&str], id: &str) -> (bool, String) {
        let mut complaints = tempfile::tempfile().unwrap();
        let status = self.command(verb, id).stderr(complaints.try_clone().unwrap()).status().unwrap();
        let mut text = String::new();
        complaints.rewind().unwrap();
        complaints.read_to_string(&mut text).unwrap();
        (status.success(), text)
    }

    /// Does one operation that must succeed.
    pub fn must(&self, verb: &[&str], id: &str) {
        let (succeeded, complaints) = self.call(verb, id);
        assert!(succeeded, "{verb:?} {id}: {complaints}");
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// What is left: entries of the state directory, cgroups, processes that were started with this bundle's state.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for entry in fs::read_dir(self.state()).into_iter().flatten().flatten() {
            left.push(entry.path().display().to_string());
        }
        for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            let cgroup = hierarchy.path().join(&self.cgroup);
            left.extend(cgroup.exists().then(|| cgroup.display().to_string()));
        }
        let cgroup = Path::new("/sys/fs/cgroup").join(&self.cgroup);
        left.extend(cgroup.exists().then(|| cgroup.display().to_string()));
        let state = self.state();
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let started = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let ours = String::from_utf8_lossy(&started).contains(state.to_str().unwrap());
            left.extend(ours.then(|| process.path().display().to_string()));
        }
        left
    }
}
