//! The lab of one check: makes bundles and containers, and records what was done.
//!
//! Containers refer to their lab, so this file, `container`, `foreground` and `way` import each other.

mod attempt;
mod owner;
mod refused;
mod time_left;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use plimsoll_fixtures::bundle::{Bundle, Names};
use plimsoll_fixtures::{Config, Edit, Recipe};
use plimsoll_foreign::{beneath, read};
use plimsoll_reports::model::Finding;
use serde_json::Value;

use crate::containers::container::Container;
use crate::containers::foreground::Foreground;
use crate::containers::optional_features::Refusal;
use crate::containers::way::Way;
use crate::runtime::driver::Driver;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::runtime::release::{NEXT, Release};
use crate::runtime::settings::Settings;
use crate::system::cgroup;

pub use attempt::{Attempt, Sockets};

/// The lab of one check.
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
    controls: RefCell<Vec<u64>>,
    /// The last call of create or start, where the runtime said that it failed.
    pub(crate) refusal: RefCell<Option<Refusal>>,
    /// An option of each call of create.
    pub(crate) option: Cell<Option<&'static str>>,
    /// Why the runtime may refuse whatever it is asked for here.
    pub(crate) may_refuse: Cell<Option<&'static str>>,
    /// Whether a program has spoken from within a container of this check.
    pub(crate) has_run: Cell<bool>,
    began: Instant,
    /// A directory of the host that an overlay hides from everybody else.
    pub(crate) overlaid: RefCell<Option<PathBuf>>,
}

impl<'s> Lab<'s> {
    /// A lab in `dir`, an existing empty directory.
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
            controls: RefCell::default(),
            refusal: RefCell::default(),
            option: Cell::default(),
            may_refuse: Cell::default(),
            has_run: Cell::new(false),
            began: Instant::now(),
            overlaid: RefCell::default(),
        }
    }

    /// A bundle of the base configuration with these edits.
    ///
    /// # Errors
    /// [`Stop::Error`](crate::runtime::judgement::Stop::Error) when it cannot be written.
    pub fn bundle(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Bundle> {
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        self.build(&recipe)
    }

    /// A bundle from a recipe.
    ///
    /// # Errors
    /// As [`Lab::bundle`].
    pub fn build(&self, recipe: &Recipe) -> StepResult<Bundle> {
        let id = format!("{}-{}", self.tag, self.next());
        let cgroup = self.group(&id);
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
        let mounted = |edit: &Edit| match edit {
            Edit::Tmpfs(path, _) if beneath::parts(Path::new(path)).is_ok() => Some(dir.join(path)),
            _ => None,
        };
        self.mounted.borrow_mut().extend(recipe.edits.iter().filter_map(mounted));
        let bundle = Bundle::build(&dir, &of_release(recipe, self.settings.release), names, written)?;
        self.give_to_caller(&dir)?;
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
        let cgroup = self.group(&bundle.id);
        let names = Names { id: &bundle.id, cgroup: &cgroup, probe: &self.settings.probe };
        let recipe = of_release(recipe, self.settings.release);
        Bundle { config: names.config(&bundle.dir, &recipe), ..bundle.clone() }
    }

    /// The path of a control group of this check, as the check sees it: `name` has the check's tag in it. A check without groups
    /// of its own has them below that of the run, which no runtime is blamed for leaving.
    #[must_use]
    pub fn group(&self, name: &str) -> String {
        if cgroup::is_confined() { format!("/{name}") } else { format!("/plimsoll-{}/{name}", self.settings.run) }
    }

    /// Runs a bundle in the foreground: create, start, wait and delete in one call.
    ///
    /// # Errors
    /// [`Stop::Skip`](crate::runtime::judgement::Stop::Skip) when the runtime cannot,
    /// [`Stop::Error`](crate::runtime::judgement::Stop::Error) when it cannot be executed.
    pub fn run(&self, bundle: &Bundle) -> StepResult<Foreground<'_>> {
        Foreground::start(self, Op::Run, &self.values(bundle))
    }

    /// The arguments of create and run for a bundle.
    #[must_use]
    pub fn values(&self, bundle: &Bundle) -> Values {
        let values = Values::default()
            .with("id", &bundle.id)
            .with("bundle", bundle.dir.to_string_lossy())
            .with("pid-file", self.pid_file(bundle).to_string_lossy());
        match self.option.get() {
            Some(option) => values.with(option, ""),
            None => values,
        }
    }

    /// Where create is asked to write the container's process id.
    #[must_use]
    pub fn pid_file(&self, bundle: &Bundle) -> PathBuf {
        self.dir.join(format!("{}.pid", bundle.id))
    }

    /// What a pid file holds that the runtime was asked to write; `None` when it wrote none.
    ///
    /// # Errors
    /// [`Stop::Broken`](crate::runtime::judgement::Stop::Broken) when something else is in its place: a link, a FIFO, a directory, or
    /// more than a number.
    pub fn named_in(&self, pid_file: &Path) -> StepResult<Option<String>> {
        read::text_if_there(pid_file, read::NUMBER).map_err(Stop::of_file("the pid file"))
    }

    /// A container that was created and not started.
    ///
    /// # Errors
    /// [`Stop::Broken`](crate::runtime::judgement::Stop::Broken) when create fails or makes no process.
    pub fn create(&self, bundle: &Bundle) -> StepResult<Container<'_>> {
        self.try_create(bundle)?.container()
    }

    /// A container of the base configuration with these edits, created and not started.
    ///
    /// # Errors
    /// As [`Lab::create`].
    pub fn created(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Container<'_>> {
        self.create(&self.bundle(edits)?)
    }

    /// A container whose program runs and has spoken.
    ///
    /// # Errors
    /// As [`Lab::create`] and [`Container::started`].
    pub fn running(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Container<'_>> {
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        self.running_by(Way::Create, &recipe)
    }

    /// A container whose program has run and ended.
    ///
    /// # Errors
    /// As [`Lab::running`].
    pub fn stopped(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Container<'_>> {
        let container = self.running(edits)?;
        container.finish()?;
        Ok(container)
    }

    /// Sees that a configuration runs, so that what is refused next is refused for the difference. A run does this once
    /// for each configuration, unless the engine poses with a fault.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it does not run to its end.
    pub fn control(&self, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        self.control_of(&recipe)
    }

    /// As [`Lab::control`], of a recipe.
    ///
    /// # Errors
    /// As [`Lab::control`].
    pub fn control_of(&self, recipe: &Recipe) -> StepResult {
        let mut hash = DefaultHasher::new();
        format!("{recipe:?}").hash(&mut hash);
        let number = hash.finish();
        if self.settings.fault.is_none() && self.settings.controls.contains(&number) {
            return Ok(());
        }
        self.run_to_its_end(recipe).map_err(|stop| match stop {
            Stop::Broken(finding) => {
                Stop::Broken(Finding { what: format!("{}, without what is to be refused", finding.what), ..finding })
            }
            other => other,
        })?;
        self.controls.borrow_mut().push(number);
        Ok(())
    }

    fn run_to_its_end(&self, recipe: &Recipe) -> StepResult {
        self.running_by(Way::Create, recipe)?.finish_and_delete()
    }

    /// Sees that this runtime makes containers at all, where a check has come to its end without one. Else a program that
    /// only fails, or only does nothing, would pass.
    ///
    /// # Errors
    /// As [`Lab::control`].
    pub(crate) fn control_if_none_ran(&self) -> StepResult {
        if self.has_run.get() || self.settings.fault.is_some() { Ok(()) } else { self.control(|recipe| recipe) }
    }

    /// The configurations that were seen to run by [`Lab::control`] here, by their numbers in [`Settings::controls`].
    pub(crate) fn controls(&self) -> Vec<u64> {
        self.controls.borrow().clone()
    }

    /// Calls an operation with these values.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub fn call(&self, op: Op, values: &Values) -> StepResult<Outcome> {
        self.driver.call(op, values, &self.dir)
    }

    /// Calls an operation on an id that may name nothing.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub fn call_id(&self, op: Op, id: &str) -> StepResult<Outcome> {
        self.call(op, &Values::default().with("id", id).with("signal", "KILL"))
    }

    /// Whether the runtime is judged by drafts.
    #[must_use]
    pub fn claims_next(&self) -> bool {
        self.settings.release == NEXT
    }

    /// Goes on only where the runtime is judged by drafts, of which `what` is one.
    ///
    /// # Errors
    /// [`Stop::Skip`] elsewhere.
    pub fn needs_next(&self, what: &str) -> StepResult {
        let why = || Stop::Skip(format!("{what} is a draft: use `--spec next`"));
        if self.claims_next() { Ok(()) } else { Err(why()) }
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
    /// [`Stop::Error`](crate::runtime::judgement::Stop::Error) when the kernel refuses.
    pub fn mount_tmpfs(&self, path: &Path) -> StepResult {
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

/// The same edits, of a base that says the release that the runtime is judged by.
fn of_release(recipe: &Recipe, release: Release) -> Recipe {
    let first = Edit::Set("/ociVersion".into(), release.version().into());
    Recipe { edits: [first].into_iter().chain(recipe.edits.iter().cloned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_of_the_release_that_it_is_judged_by() {
        let version =
            |recipe: &Recipe| of_release(recipe, Release(1, 3, 0)).config().text("/ociVersion").map(str::to_owned);
        let mut recipe = Recipe::default();
        assert_eq!(version(&recipe).as_deref(), Some("1.3.0"));
        assert_eq!(version(recipe.set("/ociVersion", "1.0.0")).as_deref(), Some("1.0.0"), "unless the check says so");
    }
}
