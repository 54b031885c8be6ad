//! The bench of one check: it makes bundles and containers, and keeps the record of what was done.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::OwnedFd;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::Pid;
use plimsoll_fixtures::bundle::{Bundle, Names};
use plimsoll_fixtures::{Config, Edit, Recipe};
use serde_json::Value;

use crate::channel::Channel;
use crate::console::Console;
use crate::container::Container;
use crate::driver::Driver;
use crate::fault::Fault;
use crate::foreground::Foreground;
use crate::judgement::{Outcome, Stop, Told};
use crate::process::{Capture, KEPT, null};
use crate::profile::{Op, Values};
use crate::release::Release;
use crate::settings::Settings;

/// The bench of one check.
#[derive(Debug)]
pub struct Lab<'s> {
    /// What the run shares.
    pub settings: &'s Settings,
    /// Directory of this check.
    pub dir: PathBuf,
    /// In the id of each container and the name of each cgroup of this check.
    pub tag: String,
    /// Calls the runtime.
    pub driver: Driver<'s>,
    made: Cell<u32>,
    configs: RefCell<BTreeMap<String, Value>>,
    mounted: RefCell<Vec<PathBuf>>,
    /// A directory of the host that an overlay hides from everybody else.
    pub(crate) layered: RefCell<Option<PathBuf>>,
}

/// A call of `create` that ended, and what a container from it would be reached by.
#[derive(Debug)]
pub struct Attempt<'l> {
    lab: &'l Lab<'l>,
    bundle: Bundle,
    /// What create said.
    pub outcome: Outcome,
    channel: Option<Channel>,
    console: Option<Console>,
    stderr: Capture,
}

impl<'s> Lab<'s> {
    /// A bench in `dir`, which is there and empty.
    #[must_use]
    pub fn new(settings: &'s Settings, dir: PathBuf, tag: String) -> Self {
        let driver = Driver::new(settings, dir.join("state"));
        Self {
            settings,
            dir,
            tag,
            driver,
            made: Cell::new(0),
            configs: RefCell::default(),
            mounted: RefCell::default(),
            layered: RefCell::default(),
        }
    }

    /// A bundle of the base configuration with these edits.
    ///
    /// # Errors
    /// [`Stop::Error`] when it cannot be written.
    pub fn bundle(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Told<Bundle> {
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        self.build(&recipe)
    }

    /// A bundle from a recipe.
    ///
    /// # Errors
    /// As [`Lab::bundle`].
    pub fn build(&self, recipe: &Recipe) -> Told<Bundle> {
        let id = format!("{}-{}", self.tag, self.next());
        let cgroup = self.cgroup_of(&id);
        let names = Names { id: &id, cgroup: &cgroup, probe: &self.settings.probe };
        let fault = self.settings.fault;
        let written = |config: &Config| {
            let mut config = fault.map_or_else(|| config.clone(), |fault| fault.config(config));
            // A fault may name the cgroup too, so that what it makes is found and swept.
            config.substitute(&[("cgroup", &cgroup)]);
            config
        };
        let dir = self.dir.join(&id);
        // Before they are made: a bundle that cannot be finished has made some of them.
        let mounted = |edit: &Edit| if let Edit::Tmpfs(path, _) = edit { Some(dir.join(path)) } else { None };
        self.mounted.borrow_mut().extend(recipe.edits.iter().filter_map(mounted));
        let bundle = Bundle::build(&dir, recipe, names, written)?;
        self.configs.borrow_mut().insert(id, bundle.config.0.clone());
        Ok(bundle)
    }

    /// A number that no name of this check has yet.
    pub(crate) fn next(&self) -> u32 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    /// The same bundle as if it had been made from another recipe: what a case expects that shares its container.
    #[must_use]
    pub fn seen_as(&self, bundle: &Bundle, recipe: &Recipe) -> Bundle {
        let cgroup = self.cgroup_of(&bundle.id);
        let names = Names { id: &bundle.id, cgroup: &cgroup, probe: &self.settings.probe };
        Bundle { config: names.config(&bundle.dir, recipe), ..bundle.clone() }
    }

    fn cgroup_of(&self, id: &str) -> String {
        format!("/plimsoll-{}/{id}", self.settings.run)
    }

    /// Calls `create`, whatever comes of it.
    ///
    /// # Errors
    /// [`Stop::Timeout`] at the deadline, [`Stop::Error`] when the binary cannot be executed.
    pub fn try_create(&self, bundle: &Bundle) -> Told<Attempt<'_>> {
        self.call_create(&self.dir, bundle, self.values(bundle), Vec::new())
    }

    /// As [`Lab::try_create`], called in directory `from` and with other values: another name of the bundle, another
    /// id. A container of another id is not reached through the attempt; see [`Lab::call_id`].
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_from(
        &self,
        from: &Path,
        bundle: &Bundle,
        other: impl FnOnce(Values) -> Values,
    ) -> Told<Attempt<'_>> {
        self.call_create(from, bundle, other(self.values(bundle)), Vec::new())
    }

    /// Calls `create` with descriptors that the program is to get from number 3 on (`--preserve-fds`).
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_with(&self, bundle: &Bundle, fds: Vec<OwnedFd>) -> Told<Attempt<'_>> {
        let values = self.values(bundle);
        let values = if fds.is_empty() { values } else { values.with("preserve-fds", fds.len().to_string()) };
        self.call_create(&self.dir, bundle, values, fds)
    }

    fn call_create(&self, from: &Path, bundle: &Bundle, mut values: Values, fds: Vec<OwnedFd>) -> Told<Attempt<'_>> {
        let (mut stderr, err) = Capture::pipe(KEPT)?;
        let (mut channel, console, stdin, stdout) = if bundle.config.flag("/process/terminal") {
            let console = Console::bind(&self.dir.join(format!("c{}", self.made.get())))?;
            values = values.with("console-socket", console.path().to_string_lossy());
            (None, Some(console), null()?, null()?)
        } else {
            let (channel, input, output) = Channel::pipes(self.settings.timeout)?;
            (Some(channel), None, input, output)
        };
        if self.settings.fault.is_some_and(|fault| fault.ignores(Op::Create)) {
            let outcome = Outcome { op: Op::Create, ended: ENDED_WELL, stdout: String::new(), stderr: String::new() };
            return Ok(Attempt { lab: self, bundle: bundle.clone(), outcome, channel, console, stderr });
        }
        match self.settings.fault {
            Some(Fault::GiveAway) => chown(bundle.rootfs(), Some(crate::holder::FIRST_ID), None)?,
            Some(Fault::Escape) => std::fs::write(bundle.dir.join("trap/ptmx"), "escaped")?,
            _ => {}
        }
        let fds = [stdin, stdout, err].into_iter().chain(fds).collect();
        let (running, command) = self.driver.start(Op::Create, &values, from, fds)?;
        let deadline = self.driver.deadline();
        let end = match &mut channel {
            Some(channel) => running.finish(&mut [channel.answers(), &mut stderr], deadline)?,
            None => running.finish(&mut [&mut stderr], deadline)?,
        };
        let outcome = self.driver.settle(Op::Create, command, &end, String::new(), stderr.text())?;
        if let Some(fault) = self.settings.fault.filter(|_| outcome.succeeded()) {
            fault.after_create(self, bundle)?;
        }
        if self.settings.fault == Some(Fault::EagerStart) && outcome.succeeded() {
            self.call(Op::Start, &Values::default().with("id", &bundle.id))?.ok()?;
        }
        Ok(Attempt { lab: self, bundle: bundle.clone(), outcome, channel, console, stderr })
    }

    /// Runs a bundle in the foreground: create, start, wait and delete in one call.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the runtime cannot, [`Stop::Error`] when it cannot be executed.
    pub fn run(&self, bundle: &Bundle) -> Told<Foreground<'_>> {
        Foreground::start(self, Op::Run, &self.values(bundle))
    }

    fn values(&self, bundle: &Bundle) -> Values {
        Values::default()
            .with("id", &bundle.id)
            .with("bundle", bundle.dir.to_string_lossy())
            .with("pid-file", self.pid_file(bundle).to_string_lossy())
    }

    /// Where create is asked to write the container's process id.
    #[must_use]
    pub fn pid_file(&self, bundle: &Bundle) -> PathBuf {
        self.dir.join(format!("{}.pid", bundle.id))
    }

    /// A container that was created and not started.
    ///
    /// # Errors
    /// [`Stop::Broken`] when create fails or makes no process.
    pub fn create(&self, bundle: &Bundle) -> Told<Container<'_>> {
        self.try_create(bundle)?.container()
    }

    /// A container of the base configuration with these edits, created and not started.
    ///
    /// # Errors
    /// As [`Lab::create`].
    pub fn created(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Told<Container<'_>> {
        self.create(&self.bundle(edits)?)
    }

    /// A container whose program runs and has spoken.
    ///
    /// # Errors
    /// As [`Lab::create`] and [`Container::started`].
    pub fn running(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Told<Container<'_>> {
        let container = self.created(edits)?;
        container.started()?;
        Ok(container)
    }

    /// A container whose program has run and ended.
    ///
    /// # Errors
    /// As [`Lab::running`].
    pub fn stopped(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Told<Container<'_>> {
        let container = self.running(edits)?;
        container.finish()?;
        Ok(container)
    }

    /// Sees that a configuration runs, so that what is refused next is refused for the difference. A run does this once
    /// for each configuration, unless the engine poses with a fault.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it does not run to its end.
    pub fn control(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Told {
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        let mut hash = DefaultHasher::new();
        format!("{recipe:?}").hash(&mut hash);
        let known = self.settings.dir.join(format!("ran-{:x}", hash.finish()));
        if self.settings.fault.is_none() && known.exists() {
            return Ok(());
        }
        let container = self.create(&self.build(&recipe)?)?;
        container.started()?;
        container.finish_and_delete()?;
        Ok(std::fs::write(known, "")?)
    }

    /// Calls an operation with these values.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub fn call(&self, op: Op, values: &Values) -> Told<Outcome> {
        self.driver.call(op, values, &self.dir)
    }

    /// Calls an operation on an id that may name nothing.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub fn call_id(&self, op: Op, id: &str) -> Told<Outcome> {
        self.call(op, &Values::default().with("id", id).with("signal", "KILL"))
    }

    /// Whether the runtime is judged by this release of the specification or a later one.
    #[must_use]
    pub fn claims(&self, major: u32, minor: u32) -> bool {
        self.settings.release >= Release(major, minor, 0)
    }

    /// Takes down what the bundles of this check have mounted, and nothing that lies on it: whatever cannot be taken
    /// down is in the guard's list of mounts.
    pub fn take_down(&self) {
        for path in self.mounted.borrow_mut().drain(..).rev() {
            match umount2(&path, MntFlags::UMOUNT_NOFOLLOW) {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Mounts a tmpfs in the mount namespace of the harness, at a directory that is there.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel refuses.
    pub fn mount_tmpfs(&self, path: &Path) -> Told {
        mount(Some("plimsoll"), path, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
        self.mounted.borrow_mut().push(path.to_owned());
        Ok(())
    }

    /// The configurations that were made, by container id.
    #[must_use]
    pub fn configs(&self) -> BTreeMap<String, Value> {
        self.configs.borrow().clone()
    }
}

const ENDED_WELL: crate::process::Ended = crate::process::Ended::Exit(0);

impl<'l> Attempt<'l> {
    /// The container, when create made one.
    ///
    /// # Errors
    /// [`Stop::Broken`] when create failed, or named no living process.
    pub fn container(self) -> Told<Container<'l>> {
        self.outcome.ok()?;
        let pid = self.lab.pid_of(&self.bundle)?;
        let channel = match (self.channel, self.console) {
            (Some(channel), _) => channel,
            (None, Some(console)) => {
                let master = console.receive(self.lab.driver.deadline())?;
                Channel::terminal(master, self.lab.settings.timeout)?
            }
            (None, None) => return Err(Stop::Error("an attempt without a channel".into())),
        };
        Container::new(self.lab, self.bundle, pid, channel, self.stderr)
    }
}

impl Lab<'_> {
    /// The container's process as the pid file names it, or else the state document.
    fn pid_of(&self, bundle: &Bundle) -> Told<Pid> {
        let named = std::fs::read_to_string(self.pid_file(bundle)).ok().and_then(|text| text.trim().parse().ok());
        let pid = match named {
            Some(pid) => Some(pid),
            None => {
                let state = self.call_id(Op::State, &bundle.id)?;
                let state: Value = serde_json::from_str(&state.stdout).unwrap_or_default();
                state["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok())
            }
        };
        pid.filter(|&pid: &i32| pid > 1)
            .map(Pid::from_raw)
            .ok_or_else(|| Stop::broken("create", "a container process, named by pid file or state", "none is named"))
    }
}
