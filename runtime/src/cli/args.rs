//! The arguments.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(super) use super::criu::{Checkpoint, Restore};
pub(super) use super::exec::Exec;
pub(super) use super::update::Update;
use crate::config::OCI_VERSION;
use crate::log::Format;
use crate::operation::{events, list, ps};

/// An OCI runtime for Linux
#[derive(Debug, Parser)]
#[command(name = "plimsoll-runtime", version = version(), disable_version_flag = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What `--version` prints: the lines that callers of runc look for.
fn version() -> &'static str {
    use std::sync::OnceLock;
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| format!("{}\nspec: {OCI_VERSION}", env!("CARGO_PKG_VERSION")))
}

/// Options that come ahead of the verb.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Directory that holds the state of all containers [default: /run/plimsoll, or below $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// File that warnings and errors are appended to
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Format of that file
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: Format,
    /// Log what is done
    #[arg(long)]
    pub debug: bool,
    /// Let systemd manage the cgroups; cgroupsPath is `slice:prefix:name` then
    #[arg(long)]
    pub systemd_cgroup: bool,
    /// Whether to do without cgroups that are not delegated; `auto` is for whoever is not root
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub rootless: Rootless,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: (),
}

/// The values of `--rootless`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Rootless {
    True,
    False,
    Auto,
}

impl Rootless {
    pub fn holds(self) -> bool {
        match self {
            Self::True => true,
            Self::False => false,
            Self::Auto => !rustix::process::geteuid().is_root(),
        }
    }
}

impl Global {
    /// The directory that holds the state of all containers.
    pub fn state_root(&self) -> PathBuf {
        if let Some(root) = &self.root {
            return std::path::absolute(root).unwrap_or_else(|_| root.clone());
        }
        let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !rustix::process::geteuid().is_root());
        own.map_or_else(|| "/run/plimsoll".into(), |own| PathBuf::from(own).join("plimsoll"))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a container, whose program waits for `start`
    Create {
        #[command(flatten)]
        make: Make,
    },
    /// Start the program of a created container
    Start {
        /// The container
        id: String,
    },
    /// Make a container and start its program
    Run {
        #[command(flatten)]
        make: Make,
        /// Do not wait for the end of the program
        #[arg(short, long)]
        detach: bool,
        /// Do not delete the container when its program has ended
        #[arg(long)]
        keep: bool,
        /// Changes nothing: this runtime never adopts processes
        #[arg(long)]
        no_subreaper: bool,
    },
    /// Start a further process in a container
    Exec(Box<Exec>),
    /// Print the state of a container
    State {
        /// The container
        id: String,
    },
    /// Send a signal to the program of a container
    Kill {
        /// The container
        id: String,
        /// Name or number
        #[arg(default_value = "TERM")]
        signal: String,
        /// Send it to all processes of the container
        #[arg(short, long)]
        all: bool,
    },
    /// Remove a stopped container
    Delete {
        /// The container
        id: String,
        /// Kill it first if it runs; no error if it does not exist
        #[arg(short, long)]
        force: bool,
    },
    /// List the containers
    List {
        /// How to print them
        #[arg(short, long, value_enum, default_value = "table")]
        format: list::Format,
        /// Print the ids alone
        #[arg(short, long)]
        quiet: bool,
    },
    /// Stop all processes of a container where they are
    Pause {
        /// The container
        id: String,
    },
    /// Let the processes of a paused container go on
    Resume {
        /// The container
        id: String,
    },
    /// List the processes of a container
    Ps {
        /// How to print them
        #[arg(short, long, value_enum, default_value = "table")]
        format: ps::Format,
        /// The container
        id: String,
        /// Options of ps(1) [default: -ef]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Print what a container uses, and that it ran out of memory
    Events {
        /// The container
        id: String,
        /// Print what it uses once
        #[arg(long)]
        stats: bool,
        /// How often to print what it uses
        #[arg(long, value_name = "TIME", default_value = "5s", value_parser = events::parse_interval)]
        interval: std::time::Duration,
    },
    /// Change the limits of a container
    Update(Box<Update>),
    /// Write a running container to files, by criu
    Checkpoint(Box<Checkpoint>),
    /// Bring back a container that was written to files, by criu
    Restore(Box<Restore>),
    /// Write a configuration to begin with
    Spec {
        /// Directory to write config.json into
        #[arg(short, long, value_name = "DIR", default_value = ".")]
        bundle: PathBuf,
        /// Make it one that an unprivileged user can run
        #[arg(long)]
        rootless: bool,
    },
    /// Print what this runtime knows, as the features document of the specification
    Features,
}

/// What `create` and `run` have in common.
#[derive(Debug, Args)]
pub(super) struct Make {
    /// The container's id
    pub id: String,
    /// Directory of the bundle
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub bundle: PathBuf,
    /// Socket that the terminal is sent to
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// Socket that a pidfd of the container's process is sent to
    #[arg(long, value_name = "SOCKET")]
    pub pidfd_socket: Option<PathBuf>,
    /// File that the number of the container's process is written to
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Move the root over `/` instead of pivoting: for a host that runs from an initramfs
    #[arg(long)]
    pub no_pivot: bool,
    /// Keep the session keyring of the caller
    #[arg(long)]
    pub no_new_keyring: bool,
    /// Keep this many descriptors after standard error
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub preserve_fds: u32,
}
