//! The runtimes to measure: found, asked for their version, and named. The floor comes last.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plimsoll_bench::machine;
use plimsoll_bench::subject::{Subject, floor, names, profile_for};
use plimsoll_engine::guard::{Change, HostChanges};
use plimsoll_engine::host;
use plimsoll_engine::isolate::pid_namespace::PidNamespace;
use plimsoll_engine::profile::Profile;
use plimsoll_engine::release::UNCLAIMED;
use plimsoll_engine::run_sandbox::{CgroupView, RunSandbox};
use plimsoll_engine::settings::Settings;
use plimsoll_reports::model::bench::{self, Benchmark, Design};

use crate::args::{RuntimeArgs, View};
use crate::shared::bundled;
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::requirements;
use crate::shared::session::{find_runtime, self_report};

/// A sandbox, and the subjects to measure in it.
pub struct Setup {
    /// The subjects; the others are compared with the first.
    pub subjects: Vec<Subject>,
    view: &'static str,
    /// What the runtimes change on the host.
    host: HostChanges,
    /// Dropped last, since it cleans up.
    pub sandbox: RunSandbox,
}

impl Setup {
    /// Finds the runtimes and sets up the sandbox.
    pub fn open(runtimes: &RuntimeArgs, with_floor: bool, pid_namespace: PidNamespace) -> Result<Self, Failure> {
        let mut files: Vec<PathBuf> =
            runtimes.runtime.iter().map(|named| find_runtime(named)).collect::<Result<_, _>>()?;
        requirements::required()?;
        if files.is_empty() {
            files.push(bundled::file()?);
        }
        let view = if runtimes.cgroup_view == View::V1 { CgroupView::V1 } else { CgroupView::Host };
        let sandbox = RunSandbox::set_up(view).map_err(Failure::host)?.with_pid_namespace(pid_namespace);
        let host = HostChanges::since_now().map_err(Failure::host)?;
        let mut subjects = Vec::new();
        for (at, (file, name)) in files.iter().zip(names(&files)).enumerate() {
            let settings = Settings {
                runtime: file.clone(),
                subcommand: runtimes.runtime.is_empty().then_some(bundled::SUBCOMMAND),
                profile: Profile::load(runtimes.profile.as_deref().unwrap_or("runc")).map_err(Failure::usage)?,
                run: sandbox.run.to_string(),
                dir: sandbox.dir.clone(),
                groups: None,
                probe: sandbox.probe.clone(),
                timeout: Duration::from_secs(runtimes.timeout),
                release: UNCLAIMED,
                features: Arc::default(),
                fault: None,
                kernel: Arc::default(),
                controls: Arc::default(),
                exclusive: true,
            };
            let name = if runtimes.runtime.is_empty() { "bundled".to_owned() } else { name };
            subjects.push(subject(name, settings, runtimes.profile.is_none(), at)?);
        }
        if with_floor {
            subjects.push(floor(&subjects[0].settings, &sandbox).map_err(Failure::host)?);
        }
        Ok(Self { subjects, view: runtimes.cgroup_view.name(), host, sandbox })
    }

    /// What changed on the host since the first call, in words, whatever came of the measurement; an error of that is told after it.
    pub fn harm_of(&mut self, measured: Result<(), Failure>) -> Result<Vec<String>, Failure> {
        let harm = self.harm()?;
        if measured.is_err() {
            harm.iter().for_each(|words| say(&format!("plimsoll: warning: {words}")));
        }
        measured.map(|()| harm)
    }

    /// It is restored, when the checks of other runs have ended if they do so soon.
    fn harm(&mut self) -> Result<Vec<String>, Failure> {
        let changes = self.host.leave().map_err(Failure::host)?;
        let told = |what: &str, how: &str| format!("{what} of the host changed while runtimes were measured: {how}");
        let changes = changes.iter().map(Change::words).map(|(what, how)| told(&what, &format!("{how} (restored)")));
        let stuck = self.host.stuck().iter().map(|finding| format!("{}, {}", finding.what, finding.observed));
        Ok(changes.chain(stuck).collect())
    }

    /// A benchmark in which nothing is measured yet.
    pub fn blank(&self, design: Design) -> Benchmark {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Benchmark {
            schema: bench::SCHEMA.to_owned(),
            kind: bench::KIND.to_owned(),
            plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
            run: self.sandbox.run.to_string(),
            host: host::facts(self.view).unwrap_or_else(|_| unreachable!("/proc was read before")),
            machine: machine::facts(&self.sandbox.dir),
            design,
            started_at: now.as_secs(),
            duration_ms: 0,
            cut_short: None,
            subjects: self.subjects.iter().map(Subject::facts).collect(),
            scenarios: Vec::new(),
            costs: Vec::new(),
            curves: Vec::new(),
            soaks: Vec::new(),
            traces: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

fn subject(name: String, settings: Settings, by_version: bool, at: usize) -> Result<Subject, Failure> {
    let cannot = |why| Failure::Usage(format!("cannot execute {}: {why}", settings.runtime.display()));
    let report = self_report(&settings)?;
    let runtime = host::runtime(&settings, &report).map_err(cannot)?;
    let fitting = by_version.then(|| profile_for(runtime.version.raw())).flatten();
    let profile = fitting.unwrap_or_else(|| settings.profile.clone());
    let runtime = plimsoll_reports::model::Runtime { profile: profile.name.clone(), ..runtime };
    let root = settings.dir.join(format!("state-{at}"));
    Ok(Subject { name, settings: Settings { profile, ..settings }, runtime, root, floor: false })
}
