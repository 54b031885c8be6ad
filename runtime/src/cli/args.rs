//! The arguments.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, Args, Command, FromArgMatches, Subcommand, ValueEnum};

pub(super) use super::criu::{Checkpoint, Restore};
pub(super) use super::exec::Exec;
use super::quick;
pub(super) use super::update::Update;
use crate::config::OCI_VERSION;
use crate::log::Format;
use crate::number::plain;
use crate::operation::{events, list, ps};
use crate::procfs::in_user_namespace;

/// The command line, taken apart.
#[derive(Debug)]
pub(super) struct Arguments {
    pub global: Global,
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
    /// Directory for the state of all containers [default: /run/plimsoll, or below $XDG_RUNTIME_DIR]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Append warnings and errors to this file
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Format of the log file
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub log_format: Format,
    /// Log debug messages
    #[arg(long)]
    pub debug: bool,
    /// Let systemd manage the cgroups; cgroupsPath has the form `slice:prefix:name`
    #[arg(long)]
    pub systemd_cgroup: bool,
    /// Ignore cgroups that are not delegated; `auto` means if the caller is not root
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub rootless: Rootless,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    pub version: (),
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
        let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| is_user());
        own.map_or_else(|| "/run/plimsoll".into(), |own| PathBuf::from(own).join("plimsoll"))
    }
}

/// Whether the runtime serves a user of the host. One who is root in a user namespace alone, as rootless podman makes it, is
/// still called by the own name there.
fn is_user() -> bool {
    let is_named_root = || std::env::var_os("USER").is_some_and(|name| name == "root");
    !rustix::process::geteuid().is_root() || in_user_namespace() && !is_named_root()
}

/// What to do. How each verb is called is in [`VERBS`].
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Create(Make),
    Start(Id),
    Run(Run),
    Exec(Box<Exec>),
    State(Id),
    Kill(Kill),
    Delete(Delete),
    List(List),
    Pause(Id),
    Resume(Id),
    Ps(Ps),
    Events(Events),
    Update(Box<Update>),
    Checkpoint(Box<Checkpoint>),
    Restore(Box<Restore>),
    Spec(Spec),
    Features,
    Completions(Completions),
    Man(Man),
}

/// The name of a verb, what it does, and what adds its arguments.
type Described = (&'static str, &'static str, fn(Command) -> Command);

macro_rules! verb {
    ($name:literal, $arguments:ty, $about:literal) => {
        ($name, $about, |command| <$arguments>::augment_args(command).about($about))
    };
}

/// The verbs in the order in which help lists them.
const VERBS: [Described; 19] = [
    verb!("create", Make, "Create a container; its program waits for `start`"),
    verb!("start", Id, "Start the program of a created container"),
    verb!("run", Run, "Create a container and start its program"),
    verb!("exec", Exec, "Run another process in a running container"),
    verb!("state", Id, "Print the state of a container"),
    verb!("kill", Kill, "Send a signal to the program of a container"),
    verb!("delete", Delete, "Remove a stopped container"),
    verb!("list", List, "List the containers"),
    verb!("pause", Id, "Freeze all processes of a container"),
    verb!("resume", Id, "Resume all processes of a paused container"),
    verb!("ps", Ps, "List the processes of a container"),
    verb!("events", Events, "Print the resource usage and out-of-memory events of a container"),
    verb!("update", Update, "Change the limits of a container"),
    verb!("checkpoint", Checkpoint, "Checkpoint a running container with CRIU"),
    verb!("restore", Restore, "Restore a container from a checkpoint with CRIU"),
    verb!("spec", Spec, "Write a sample configuration"),
    verb!("features", Nothing, "Print the features document of the specification"),
    verb!("completions", Completions, "Print the completions for a shell"),
    verb!("man", Man, "Write a manual page for the program and one for each verb"),
];

/// Verbs for who installs the program, which help does not list.
const HIDDEN: [&str; 2] = ["completions", "man"];

impl Arguments {
    /// Takes the words apart.
    pub fn of(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let words: Vec<_> = words.into_iter().collect();
        quick::arguments(&words).map_or_else(|| Self::by_clap(words), Ok)
    }

    /// The arguments of a verb are made only when it is called: there are many.
    pub(super) fn by_clap(words: Vec<OsString>) -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches_from(words)?;
        Ok(Self { global: Global::from_arg_matches(&matches)?, verb: Verb::from_arg_matches(&matches)? })
    }

    /// The whole command line.
    pub(super) fn command() -> Command {
        let verbs = VERBS.map(|(name, about, arguments)| {
            Command::new(name).about(about).hide(HIDDEN.contains(&name)).defer(arguments)
        });
        let command = Command::new("plimsoll-runtime").version(version()).disable_version_flag(true);
        let command = Global::augment_args(command).about("An OCI runtime for Linux");
        command.subcommands(verbs).subcommand_required(true).arg_required_else_help(true)
    }
}

/// No arguments.
#[derive(Debug, Args)]
struct Nothing {}

#[derive(Debug, Args)]
pub(super) struct Id {
    /// The container
    pub id: String,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub make: Make,
    /// Do not wait for the program
    #[arg(short, long)]
    pub detach: bool,
    /// Do not delete the container when the program ends
    #[arg(long)]
    pub keep: bool,
    /// No effect: this runtime never becomes a subreaper
    #[arg(long)]
    pub no_subreaper: bool,
}

#[derive(Debug, Args)]
pub(super) struct Kill {
    /// The container
    pub id: String,
    /// Name or number
    #[arg(default_value = "TERM")]
    pub signal: String,
    /// Send the signal to all processes of the container
    #[arg(short, long)]
    pub all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The container
    pub id: String,
    /// Kill it first if it runs; no error if it does not exist
    #[arg(short, long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// How to print them
    #[arg(short, long, value_enum, default_value = "table")]
    pub format: list::Format,
    /// Print the ids alone
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Ps {
    /// How to print them
    #[arg(short, long, value_enum, default_value = "table")]
    pub format: ps::Format,
    /// The container
    pub id: String,
    /// Options of ps(1) [default: -ef]
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Events {
    /// The container
    pub id: String,
    /// Print what it uses once
    #[arg(long)]
    pub stats: bool,
    /// How often to print what it uses
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = events::parse_interval)]
    pub interval: std::time::Duration,
}

#[derive(Debug, Args)]
pub(super) struct Spec {
    /// Directory to write config.json into
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub bundle: PathBuf,
    /// Make it one that an unprivileged user can run
    #[arg(long)]
    pub rootless: bool,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Directory to write the pages into; made if it is missing
    pub dir: PathBuf,
}

/// What `create` and `run` have in common.
#[derive(Debug, Args)]
pub(super) struct Make {
    /// The container's id
    pub id: String,
    /// Directory of the bundle
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub bundle: PathBuf,
    /// Send the terminal to this socket
    #[arg(long, value_name = "SOCKET")]
    pub console_socket: Option<PathBuf>,
    /// Send a pidfd of the container's process to this socket
    #[arg(long, value_name = "SOCKET")]
    pub pidfd_socket: Option<PathBuf>,
    /// Write the pid of the container's process to this file
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,
    /// Use MS_MOVE instead of pivot_root(2), for a host that runs from an initramfs
    #[arg(long)]
    pub no_pivot: bool,
    /// Keep the session keyring of the caller
    #[arg(long)]
    pub no_new_keyring: bool,
    /// Pass this many descriptors after standard error
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::<u32>)]
    pub preserve_fds: u32,
}

/// A number that is typed as numbers are printed.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    plain(text).ok_or_else(|| format!("`{text}` is no such decimal number without plus sign or leading zeros"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verbs_are_those_that_are_described() {
        let known = Verb::augment_subcommands(Command::new("x"));
        let known: Vec<_> = known.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        assert_eq!(known, VERBS.map(|(name, ..)| name));
    }

    #[test]
    fn each_verb_has_sound_arguments() {
        let mut command = Arguments::command();
        command.build();
        command.debug_assert();
    }
}
