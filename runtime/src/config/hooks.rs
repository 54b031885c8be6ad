//! `hooks`: programs that run at six points of a container's life. Specification: `config.md`, POSIX-platform Hooks.

use std::path::PathBuf;

use serde::Deserialize;

/// The six points, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// In the runtime's namespaces, before `pivot_root`, ahead of `createRuntime` (deprecated).
    Prestart,
    /// In the runtime's namespaces, before `pivot_root`.
    CreateRuntime,
    /// In the container's namespaces, before `pivot_root`.
    CreateContainer,
    /// In the container, before the program.
    StartContainer,
    /// In the runtime's namespaces, after the program was executed.
    Poststart,
    /// In the runtime's namespaces, after the container was deleted.
    Poststop,
}

impl HookKind {
    /// All kinds, in order.
    pub const ALL: [Self; 6] = [
        Self::Prestart,
        Self::CreateRuntime,
        Self::CreateContainer,
        Self::StartContainer,
        Self::Poststart,
        Self::Poststop,
    ];

    /// The name of the list in `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }
}

/// The lists of hooks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hooks {
    prestart: Vec<Hook>,
    create_runtime: Vec<Hook>,
    create_container: Vec<Hook>,
    start_container: Vec<Hook>,
    poststart: Vec<Hook>,
    poststop: Vec<Hook>,
}

impl Hooks {
    /// The hooks of one kind, in the order in which they run.
    pub fn of(&self, kind: HookKind) -> &[Hook] {
        match kind {
            HookKind::Prestart => &self.prestart,
            HookKind::CreateRuntime => &self.create_runtime,
            HookKind::CreateContainer => &self.create_container,
            HookKind::StartContainer => &self.start_container,
            HookKind::Poststart => &self.poststart,
            HookKind::Poststop => &self.poststop,
        }
    }
}

/// One program to run.
#[derive(Debug, Clone, Deserialize)]
pub struct Hook {
    /// The file to execute: absolute, never searched for.
    pub path: PathBuf,
    /// The whole `argv`; absent means the path alone.
    #[serde(default)]
    pub args: Vec<String>,
    /// The whole environment; absent means that of the runtime.
    pub env: Option<Vec<String>>,
    /// Seconds after which the hook is aborted.
    pub timeout: Option<i64>,
}
