//! The settings that all checks of a run share.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::guard::KernelState;
use crate::runtime::fault::Fault;
use crate::runtime::profile::Profile;
use crate::runtime::release::Release;
use crate::system::cgroup::RunGroups;
use crate::system::deadline::scaled;

/// What every check of a run shares.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The runtime binary, absolute.
    pub runtime: PathBuf,
    /// The word that comes first in each call, where the binary is more than a runtime.
    pub subcommand: Option<&'static str>,
    /// How to speak to it.
    pub profile: Profile,
    /// Unique id of the run; in every name that the run makes.
    pub run: String,
    /// Directory of the run: a private tmpfs.
    pub dir: PathBuf,
    /// The control groups of the run, for those of its checks; none where they cannot be made, or where nothing is judged.
    pub groups: Option<Arc<RunGroups>>,
    /// The probe, on the filesystem of `dir`.
    pub probe: PathBuf,
    /// The longest that one call of the runtime, or one answer of the probe, may take.
    pub timeout: Duration,
    /// The release of the specification that it is judged by.
    pub release: Release,
    /// What it says in its features; null where it has none.
    pub features: Arc<Value>,
    /// The fault that the engine poses with, when a check is being proven.
    pub fault: Option<Fault>,
    /// The kernel as it is to be found after each check.
    pub kernel: Arc<KernelState>,
    /// The configurations that were seen to run, so that one beside them is refused for the difference.
    pub controls: Arc<BTreeSet<u64>>,
    /// Whether nothing else of this run happens at the same time: then a change of the kernel's state is this check's.
    pub exclusive: bool,
}

/// How long a runtime is waited for that the engine makes a wrong one.
const WAIT_FOR_WRONG: Duration = Duration::from_secs(1);

/// A variable of the runtime's own environment. It must never be seen inside a container.
pub const LEAK: &str = "PLIMSOLL_OF_THE_RUNTIME";

impl Settings {
    /// The same with this fault. What a faulty runtime never does is not waited for as long: only a check that passes
    /// without the fault proves something, and that is much faster.
    #[must_use]
    pub fn with_fault(&self, fault: Option<Fault>) -> Self {
        let wrong = fault.is_some_and(|fault| !matches!(fault, Fault::Neutral(_)));
        let timeout = if wrong { self.timeout.min(scaled(WAIT_FOR_WRONG)) } else { self.timeout };
        Self { fault, timeout, ..self.clone() }
    }

    /// The command line that calls the runtime with these words.
    #[must_use]
    pub fn command(&self, words: Vec<String>) -> Vec<OsString> {
        let first = [self.runtime.clone().into_os_string()].into_iter().chain(self.subcommand.map(OsString::from));
        first.chain(words.into_iter().map(OsString::from)).collect()
    }

    /// The environment that the runtime is called with: nothing of the user's, so that verdicts do not depend on it.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        self.environment_with(&self.dir)
    }

    /// As [`Settings::environment`], with another `XDG_RUNTIME_DIR`.
    #[must_use]
    pub fn environment_with(&self, runtime_dir: &Path) -> Vec<(OsString, OsString)> {
        let pair = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        vec![
            pair("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            pair("HOME", "/root"),
            pair("XDG_RUNTIME_DIR", &runtime_dir.to_string_lossy()),
            pair(LEAK, "1"),
        ]
    }
}
