//! The six kinds of hooks, and the lifecycle of a container as seen in the hook log.

use nix::unistd::Pid;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::HookRecord;
use plimsoll_fixtures::{Bundle, Recipe};
use serde_json::{Value, json};

/// A kind of hooks.
#[derive(Debug, PartialEq)]
pub(super) struct Kind {
    /// The member of `/hooks`.
    pub member: &'static str,
    /// The operation that runs it.
    pub during: Op,
    /// Whether it executes in the namespaces of the container.
    pub in_namespaces: bool,
    /// Whether its path is looked up in the root of the container.
    pub in_rootfs: bool,
    /// The status of the container meanwhile.
    pub status: &'static str,
}

const fn of_runtime(member: &'static str, during: Op, status: &'static str) -> Kind {
    Kind { member, during, in_namespaces: false, in_rootfs: false, status }
}

pub(super) const PRESTART: Kind = of_runtime("prestart", Op::Create, "creating");
pub(super) const CREATE_RUNTIME: Kind = of_runtime("createRuntime", Op::Create, "creating");
pub(super) const CREATE_CONTAINER: Kind =
    Kind { in_namespaces: true, ..of_runtime("createContainer", Op::Create, "creating") };
pub(super) const START_CONTAINER: Kind =
    Kind { in_namespaces: true, in_rootfs: true, ..of_runtime("startContainer", Op::Start, "created") };
pub(super) const POSTSTART: Kind = of_runtime("poststart", Op::Start, "running");
pub(super) const POSTSTOP: Kind = of_runtime("poststop", Op::Delete, "stopped");

/// The name of the hook under test, where there is one.
pub(super) const IT: &str = "it";

/// One row for each kind, in the order of the lifecycle; `living` leaves out poststop, when there is no process.
/// A row has the name of the kind here, its member of `/hooks`, its name in ids, the clause on when it runs, and two
/// kinds for a faulty runtime to take it for: one of another operation, one of other namespaces.
macro_rules! for_each_kind {
    (living $row:ident) => {
        for_each_kind!($row, [])
    };
    ($row:ident) => {
        for_each_kind!(
            $row,
            [$row!(POSTSTOP, "poststop", "poststop", "before-delete-returns", "poststart", "createContainer")]
        )
    };
    ($row:ident, [$($last:expr)?]) => {
        &[
            $row!(PRESTART, "prestart", "prestart", "during-create", "poststop", "createContainer"),
            $row!(CREATE_RUNTIME, "createRuntime", "create-runtime", "during-create", "poststop", "createContainer"),
            $row!(CREATE_CONTAINER, "createContainer", "create-container", "during-create", "poststop", "prestart"),
            $row!(START_CONTAINER, "startContainer", "start-container", "during-start", "createContainer", "prestart"),
            $row!(POSTSTART, "poststart", "poststart", "after-program-exec", "createRuntime", "createContainer"),
            $($last)?
        ]
    };
}

impl Kind {
    /// The JSON pointer to something of its first hook, or, with an empty name, to the list.
    pub(super) fn pointer(&self, below: &str) -> String {
        format!("/hooks/{}{below}", self.member)
    }
}

/// A container's whole life, with the hook log as it was after each operation.
#[derive(Debug)]
pub(super) struct Lifecycle {
    pub bundle: Bundle,
    pub pid: Pid,
    /// The container's process between create and start, where the host can see it.
    pub process: Option<Observation>,
    pub after_create: Vec<HookRecord>,
    pub after_start: Vec<HookRecord>,
    pub after_delete: Vec<HookRecord>,
}

impl Lifecycle {
    /// Runs a container from create to delete.
    pub(super) fn of(lab: &Lab<'_>, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Self> {
        let container = lab.created(edits)?;
        let process = lab.settings.profile.shares_kernel.then(|| container.observe()).transpose()?;
        let (bundle, pid) = (container.bundle.clone(), container.pid);
        let after_create = bundle.hook_log()?;
        container.started()?;
        let after_start = bundle.hook_log()?;
        container.finish_and_delete()?;
        let after_delete = bundle.hook_log()?;
        Ok(Self { bundle, pid, process, after_create, after_start, after_delete })
    }

    /// The first record of a hook.
    pub(super) fn record(&self, name: &str) -> StepResult<&HookRecord> {
        let found = self.after_delete.iter().find(|record| record.name == name);
        found.ok_or_else(|| {
            let names = names(&self.after_delete);
            Stop::broken(format!("the hook `{name}`"), "in the log after delete", names.describe())
        })
    }

    /// How often a hook had run after create, after start and after delete.
    pub(super) fn runs(&self, name: &str) -> [usize; 3] {
        [&self.after_create, &self.after_start, &self.after_delete]
            .map(|log| log.iter().filter(|record| record.name == name).count())
    }
}

/// An annotation that makes the state longer than a pipe holds. Whoever writes it meets the end of a hook that does not
/// read it, or cannot be executed, every time and not now and then.
pub(super) fn long_annotation() -> Value {
    json!({ "org.plimsoll.long": "long ".repeat(40_000) })
}

/// The names in a log, in order.
pub(super) fn names(log: &[HookRecord]) -> Vec<&str> {
    log.iter().map(|record| record.name.as_str()).collect()
}
