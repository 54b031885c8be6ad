//! What every command that calls a runtime shares: finds the runtime, sets up the sandbox, runs jobs in it.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_engine::cgroup::RunGroups;
use plimsoll_engine::deadline::{scaled, set_time_scale};
use plimsoll_engine::execute::ExecuteOptions;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::host;
use plimsoll_engine::need::Abilities;
use plimsoll_engine::profile::Profile;
use plimsoll_engine::release::UNCLAIMED;
use plimsoll_engine::run_sandbox::{CgroupView, RunSandbox};
use plimsoll_engine::schedule::{Job, Plan};
use plimsoll_engine::self_report::SelfReport;
use plimsoll_engine::settings::Settings;
use plimsoll_reports::model::{Check, Host, Runtime};

use crate::args::{Subject, View};
use crate::shared::bundled;
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::progress::Progress;
use crate::shared::replay::ReplayCommand;
use crate::shared::requirements;

/// Set by Ctrl-C or a request to end.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A sandbox, and a runtime to test in it.
pub struct Session {
    settings: Settings,
    abilities: Abilities,
    options: ExecuteOptions,
    replay_command: ReplayCommand,
    jobs: usize,
    /// Facts of the host.
    pub host: Host,
    /// Facts of the runtime.
    pub runtime: Runtime,
    /// Dropped last, since it cleans up.
    _place: RunSandbox,
}

impl Session {
    /// Finds the runtime, checks the requirements, and sets up the sandbox.
    pub fn open(subject: &Subject, keep: Option<&Path>) -> Result<Self, Failure> {
        let profile = Profile::load(&subject.profile).map_err(Failure::usage)?;
        let named = match subject.runtime.as_slice() {
            [] => None,
            [one] => Some(find_runtime(one)?),
            _ => {
                return Err(Failure::Usage("this command takes one runtime at a time: give --runtime once".to_owned()));
            }
        };
        requirements::required()?;
        let runtime = named.map_or_else(bundled::file, Ok)?;
        requirements::hold(&runtime)?;
        let keep = keep.map(std::path::absolute).transpose().map_err(Failure::host)?;
        let replay_command = ReplayCommand::of(subject)?;
        let options = ExecuteOptions { keep, replay: replay_command.check() };
        plimsoll_engine::sys::on_interrupt(&INTERRUPTED).map_err(Failure::host)?;
        set_time_scale(subject.time_scale.unwrap_or(if is_emulated() { EMULATED } else { 1 }));
        let view = if subject.cgroup_view == View::V1 { CgroupView::V1 } else { CgroupView::Host };
        let mut place = RunSandbox::set_up(view).map_err(Failure::host)?;
        let groups = groups(&mut place);
        let settings = Settings {
            runtime,
            subcommand: subject.runtime.is_empty().then_some(bundled::SUBCOMMAND),
            profile,
            run: place.run.to_string(),
            dir: place.dir.clone(),
            groups,
            probe: place.probe.clone(),
            timeout: scaled(Duration::from_secs(subject.timeout)),
            release: UNCLAIMED,
            features: Arc::default(),
            fault: None,
            kernel: Arc::default(),
            controls: Arc::default(),
            exclusive: true,
        };
        let report = self_report(&settings)?;
        let release = subject.spec.or(report.claimed()).unwrap_or(UNCLAIMED);
        let profile = settings.profile.clone().of_version(&report.version);
        let settings = Settings { release, profile, ..settings };
        let runtime = host::runtime(&settings, &report).map_err(Failure::host)?;
        let (kernel, features) = (report.kernel, Arc::new(report.features));
        let settings = Settings { kernel, features, ..settings };
        let host = host::facts(subject.cgroup_view.name()).map_err(Failure::host)?;
        if !settings.profile.is_for(runtime.version.raw()) {
            say(&format!("plimsoll: {}", foreign(&settings, &runtime)));
        }
        let abilities = host::abilities(&settings.profile, &host).map_err(Failure::host)?;
        let jobs = subject.jobs.map_or_else(default_jobs, usize::from);
        Ok(Self { settings, abilities, options, replay_command, jobs, host, runtime, _place: place })
    }

    /// The same, posing with a fault in front of the runtime.
    pub fn with_fault(mut self, fault: Option<Fault>) -> Self {
        self.settings = self.settings.with_fault(fault);
        self
    }

    /// Another runtime at the same place, judged by the same release.
    pub fn of(&self, runtime: &Path) -> Result<OtherRuntime, Failure> {
        let settings = Settings { runtime: find_runtime(runtime)?, subcommand: None, ..self.settings.clone() };
        let runtime = host::runtime(&settings, &self_report(&settings)?).map_err(Failure::host)?;
        Ok(OtherRuntime { settings, runtime })
    }

    /// What the checks share.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What host and runtime have.
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// How many checks run at once.
    pub fn jobs(&self) -> usize {
        self.jobs
    }

    /// How a user tries a saved case again.
    pub fn replay(&self, dir: &Path) -> String {
        self.replay_command.case(dir, self.settings.fault.map(|fault| fault.to_string()))
    }

    /// How a user tries something again.
    pub fn replay_command(&self) -> &ReplayCommand {
        &self.replay_command
    }

    /// Unique id of the run.
    pub fn id(&self) -> &str {
        &self.settings.run
    }

    /// Runs jobs side by side. Those that an interruption kept from running are missing in what is returned.
    pub fn run(&self, jobs: Vec<Job<'_>>, progress: &mut Progress) -> Result<Vec<(usize, Check)>, Failure> {
        let plan = Plan {
            settings: &self.settings,
            abilities: &self.abilities,
            jobs: self.jobs,
            // A check makes several calls; one in which each of them hangs must still end.
            limit: self.settings.timeout * 6,
            options: &self.options,
            interrupted: &interrupted,
        };
        plan.run(jobs, |event| progress.note(&event)).map_err(Failure::host)
    }
}

/// One of several runtimes at one place.
pub struct OtherRuntime {
    /// How it is called.
    pub settings: Settings,
    /// Facts of it.
    pub runtime: Runtime,
}

/// What the runtime says of itself. The user reads what else it did when it was asked.
pub fn self_report(settings: &Settings) -> Result<SelfReport, Failure> {
    let report = SelfReport::of(settings, &interrupted).map_err(|why| match why.kind() {
        std::io::ErrorKind::Interrupted => Failure::host(why),
        _ => Failure::Usage(format!("cannot execute {}: {why}", settings.runtime.display())),
    })?;
    if report.version_hung {
        say(&format!(
            "plimsoll: warning: {} did not answer `--version` within {:?}",
            settings.runtime.display(),
            settings.timeout
        ));
    }
    for harm in &report.harm {
        say(&format!("plimsoll: {} changes {}: {}", settings.runtime.display(), harm.what, harm.observed));
    }
    Ok(report)
}

/// The control groups of the run, or a word about what it does without them.
fn groups(place: &mut RunSandbox) -> Option<Arc<RunGroups>> {
    place.make_groups().map_or_else(
        |why| {
            say(&format!(
                "plimsoll: {why}: checks run without cgroups of their own: their processes and memory are not limited, and a cgroup that a \
                 runtime leaves is found only by its name"
            ));
            None
        },
        Some,
    )
}

/// What the user reads when the profile is for runtimes of other versions.
fn foreign(settings: &Settings, runtime: &Runtime) -> String {
    let Profile { name, versions, .. } = &settings.profile;
    let known = versions.iter().map(|version| format!("`{}…`", version.trim_end())).collect::<Vec<_>>().join(", ");
    format!(
        "{} says its version is `{}`, and profile {name} expects {known}: choose the right one with --profile, or use a copy with \
         this version in `versions`",
        runtime.path, runtime.version
    )
}

/// An emulated machine is that much slower, and more when it shares its processors.
const EMULATED: u32 = 10;

fn is_emulated() -> bool {
    host::accelerator().as_deref() == Some("tcg")
}

/// Most of the time a runtime waits for the kernel (for grace periods when it joins a control group or leaves a
/// namespace), so a processor can serve several.
fn default_jobs() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // An emulated processor is busy all the time.
    if is_emulated() { processors } else { 4 * processors }
}

/// Whether the user wants to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// The binary that a path or name means, absolute.
pub fn find_runtime(named: &Path) -> Result<PathBuf, Failure> {
    let usage = |what: String| Err(Failure::Usage(what));
    let is_name = !named.as_os_str().is_empty() && !named.to_string_lossy().contains('/');
    let in_path = env::var_os("PATH").filter(|_| is_name);
    let found = in_path.iter().flat_map(env::split_paths).map(|dir| dir.join(named)).find(|path| path.is_file());
    let path = found.map_or_else(|| std::path::absolute(named), Ok).map_err(Failure::usage)?;
    match std::fs::metadata(&path) {
        Err(why) => usage(format!("no runtime at {}: {why}", path.display())),
        Ok(meta) if !meta.is_file() => {
            usage(format!("{} is not a file; give the binary of the runtime", path.display()))
        }
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => {
            usage(format!("{} is not executable; chmod +x it", path.display()))
        }
        Ok(_) => Ok(path),
    }
}
