//! Where it is tried: the place, the subjects and the design, as `plimsoll bench` has them.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_bench::experiment::{Kind, Plan, Progress, measure};
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::Sites;
use plimsoll_bench::subject::{Subject, profile_for};
use plimsoll_bench::watch::Watch;
use plimsoll_engine::host;
use plimsoll_engine::profile::Profile;
use plimsoll_engine::release::UNCLAIMED;
use plimsoll_engine::run_sandbox::{CgroupView, RunSandbox};
use plimsoll_engine::self_report::SelfReport;
use plimsoll_engine::settings::Settings;
use plimsoll_reports::model::bench;

/// Where benchmarks are made.
pub struct Field {
    pub sandbox: RunSandbox,
    blocks: u32,
}

impl Field {
    /// Sets it up.
    pub fn open(v1: bool, blocks: u32) -> io::Result<Self> {
        let sandbox = RunSandbox::set_up(if v1 { CgroupView::V1 } else { CgroupView::Host })?;
        Ok(Self { sandbox, blocks })
    }

    /// A runtime to measure. No two have the same name.
    pub fn subject(&self, name: &str, runtime: &Path) -> Result<Subject, Box<dyn Error>> {
        let settings = Settings {
            runtime: fs::canonicalize(runtime).map_err(|why| format!("{}: {why}", runtime.display()))?,
            subcommand: None,
            profile: Profile::load("runc")?,
            run: self.sandbox.run.to_string(),
            dir: self.sandbox.dir.clone(),
            groups: None,
            probe: self.sandbox.probe.clone(),
            timeout: Duration::from_secs(10),
            release: UNCLAIMED,
            features: Arc::default(),
            fault: None,
            kernel: Arc::default(),
            controls: Arc::default(),
            exclusive: true,
        };
        let runtime = host::runtime(&settings, &SelfReport::of(&settings, &|| false)?)?;
        let profile = profile_for(runtime.version.raw()).unwrap_or_else(|| settings.profile.clone());
        let root = self.sandbox.dir.join(format!("state-{name}"));
        Ok(Subject { name: name.to_owned(), settings: Settings { profile, ..settings }, runtime, root, floor: false })
    }

    /// A file that can be executed, in the place.
    pub fn program(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.sandbox.dir.join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// Hot turns of one kind with the default configuration.
    pub fn measure(&self, subjects: &[Subject], kind: Kind, seed: u32) -> io::Result<bench::Scenario> {
        let plan = Plan {
            seed: seed.into(),
            kinds: vec![kind],
            quiet: Duration::ZERO,
            precision: 0.0,
            limit: Duration::MAX,
            warm_up: 3,
            least: self.blocks,
            most: self.blocks,
        };
        let mut scenario = Scenario::named("default").ok_or(io::ErrorKind::NotFound)?;
        // A place has a name but once.
        scenario.name = format!("{}-{seed}", subjects[0].name);
        let place = Sites::new(&self.sandbox)?;
        let measured = measure(&plan, &scenario, subjects, &place, &mut Watch::new()?, &Nobody)?;
        match measured.subjects.iter().flat_map(|subject| &subject.mishaps).next() {
            Some(mishap) => Err(io::Error::other(format!("{}: {}", mishap.phase, mishap.what))),
            None => Ok(measured),
        }
    }

    /// How many turns each has in a measurement.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }
}

/// Nobody looks on.
struct Nobody;

impl Progress for Nobody {
    fn report(&self, _: &str) {}
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// The ratio of this phase of the later subject to the first.
pub fn ratio<'m>(measured: &'m bench::Scenario, phase: &str) -> Result<&'m bench::Ratio, Box<dyn Error>> {
    let found = measured.ratios.iter().find(|ratio| ratio.phase == phase);
    found.ok_or_else(|| format!("{phase} was not measured").into())
}
