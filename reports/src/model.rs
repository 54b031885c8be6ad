//! The results of a run, as in `results.json`. Schema version [`SCHEMA`]; every renderer reads only this.
//! `schema/results.schema.json` describes the same for other programs, and a test compares the two.

pub mod bench;
pub mod fuzz;
mod json;
pub mod proof;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use json::Json;

pub use crate::text::Foreign;

/// Version of the schema. The first number changes when a reader of the old form would misread the new one.
pub const SCHEMA: &str = "1.3";

/// A whole run of one runtime on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// See [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub plimsoll: String,
    /// Unique id of the run; every name that the run made on the host contains it.
    pub run: String,
    /// The runtime that was judged.
    pub runtime: Runtime,
    /// The host that it was judged on.
    pub host: Host,
    /// When the run began, in seconds since the epoch.
    pub started_at: u64,
    /// How long the run took, in milliseconds.
    pub duration_ms: u64,
    /// Whether the run was cut short (Ctrl-C, or the simplest container does not run), and why.
    pub cut_short: Option<String>,
    /// Which part of the selected checks this is; none when it is all of them. Since schema 1.1.
    #[serde(default)]
    pub partition: Option<Partition>,
    /// The words that follow `plimsoll` to try one of the checks again, all but the last two, `--replay ID`: whatever of the
    /// command line decides a verdict. Empty in an older file. Since schema 1.2.
    #[serde(default)]
    pub command: Vec<String>,
    /// Each selected check, sorted by id.
    pub checks: Vec<Check>,
}

/// A part of a selection of checks that was spread over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Which part, from 1.
    pub part: u32,
    /// How many parts there are.
    pub of: u32,
    /// How many checks all parts have together.
    pub whole: u64,
}

/// The runtime under test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Runtime {
    /// The path as the user named it, made absolute.
    pub path: Foreign,
    /// First line of what it printed when asked for its version; empty when it printed nothing.
    pub version: Foreign,
    /// Whether it did not come back when it was asked for its version.
    #[serde(default)]
    pub version_hung: bool,
    /// SHA-256 of the binary, in hexadecimal.
    pub sha256: String,
    /// Name of the profile that was used to drive it.
    pub profile: String,
    /// Release of the specification that it was judged by; what a later one added gives warnings.
    pub spec: String,
}

impl Runtime {
    /// What is told in place of a version.
    #[must_use]
    pub fn no_version(&self) -> &'static str {
        if self.version_hung { "not printed: it did not answer" } else { "not printed" }
    }
}

/// What of the host can change a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub machine: String,
    /// `v1`, `hybrid`, `v2` or `none`: what the runtime was shown.
    pub cgroups: String,
    /// Whether the runtime was shown the host's own cgroup mounts (`host`) or a private view of them (`v1`).
    pub cgroup_view: String,
    /// Names of the Linux security modules, in order.
    pub lsms: Vec<String>,
    /// Capabilities that the harness lacks, by name.
    pub missing_capabilities: Vec<String>,
    /// How the instructions of a virtual machine of ours are carried out: `tcg` (by software, so that times mean
    /// nothing) or `kvm`; nothing on a host.
    #[serde(default)]
    pub accelerator: Option<String>,
}

/// One check and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, `section.subject/case`.
    pub id: String,
    /// Section of the specification, for grouping: `lifecycle`, `process`, `mounts`, …
    pub section: String,
    /// Which standard it holds the runtime to.
    pub axis: Axis,
    /// The clauses that the verdict rests on. Many checks cite the same one, so they share it.
    pub clauses: Vec<Arc<Clause>>,
    /// The verdict.
    pub verdict: Verdict,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// Why it was skipped, or what went wrong in the harness; empty for a pass.
    pub reason: String,
    /// What was not as expected; at least one when the verdict is `fail` or `warn`.
    pub findings: Vec<Finding>,
    /// What to look at when it did not pass: commands, output, configuration.
    pub evidence: Option<Evidence>,
    /// What was expected of it, when that is not a pass.
    pub known: Option<Known>,
    /// The checks that it shared its container with. Only a check that passed did; any other verdict is from a
    /// container of its own.
    #[serde(default)]
    pub shared_with: Vec<String>,
}

/// A known deviation, from a file of expectations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The expected verdict; another one is unexpected, be it better or worse.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Where that is discussed in public; may be empty.
    pub link: String,
}

/// Which standard a check holds a runtime to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// The OCI runtime specification.
    Spec,
    /// What users of runc rely on where the specification is silent.
    Compat,
    /// Properties whose absence has been a vulnerability.
    Security,
}

impl Axis {
    /// Every axis, in the order of the declaration.
    pub const ALL: [Axis; 3] = [Axis::Spec, Axis::Compat, Axis::Security];

    /// The name, as it stands in `results.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Axis::Spec => "spec",
            Axis::Compat => "compat",
            Axis::Security => "security",
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// The verdict of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As the clauses demand.
    Pass,
    /// A MUST is broken.
    Fail,
    /// A SHOULD is broken, or something advisory differs.
    Warn,
    /// Not run; the reason says what would make it run.
    Skip,
    /// The harness or the host failed, so nothing is known of the runtime.
    Error,
    /// The runtime did not finish in time.
    Timeout,
}

impl Verdict {
    /// Every verdict, in the order of the declaration.
    pub const ALL: [Verdict; 6] =
        [Verdict::Pass, Verdict::Fail, Verdict::Warn, Verdict::Skip, Verdict::Error, Verdict::Timeout];

    /// The name, as it stands in `results.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Skip => "skip",
            Verdict::Error => "error",
            Verdict::Timeout => "timeout",
        }
    }

    /// How bad it is, for finding the worst of several: the higher, the worse.
    #[must_use]
    pub fn severity(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Skip => 1,
            Verdict::Warn => 2,
            Verdict::Error => 3,
            Verdict::Timeout => 4,
            Verdict::Fail => 5,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A clause of the specification, as cited.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Clause {
    /// Stable id of the clause list.
    pub id: String,
    /// `MUST`, `SHOULD`, … or `DESCRIBED`.
    pub level: String,
    /// What it says, in our words.
    pub text: String,
    /// Where the specification says it.
    pub link: String,
    /// The first version of the specification that says so.
    pub since: String,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What the clause leads one to expect.
    pub expected: String,
    /// What was there.
    pub observed: String,
}

/// What a reader needs to judge a finding by herself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The command that runs this check again and keeps its bundle.
    pub replay: String,
    /// Each call of the runtime, in order.
    pub calls: Vec<Call>,
    /// The configuration of each bundle, by directory name.
    pub configs: BTreeMap<String, Json>,
    /// Where bundle and logs were kept, when that was asked for.
    pub kept: Option<String>,
}

/// One call of the runtime binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The command line, quoted for a shell.
    pub command: String,
    /// `exit 0`, `signal 9` or `deadline`.
    pub ended: String,
    /// The first part of its standard output, as text.
    pub stdout: Foreign,
    /// The last part of its standard error, as text.
    pub stderr: Foreign,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
}
