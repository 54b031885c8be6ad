//! Which options were given on the command line, and the defaults that depend on that.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};

use super::{Arguments, Command, Run, Subject};

/// The default directory of the artifacts of `--replay`.
pub const KEPT: &str = "plimsoll-kept";

/// The options of [`Subject`] that decide a verdict, by their names in the source.
pub const DECISIVE: &[&str] = &["runtime", "profile", "cgroup_view", "spec", "timeout", "time_scale"];

/// Whether the command line itself has this option; else its value is a default, perhaps that of the project.
pub fn is_given(matches: &ArgMatches, option: &str) -> bool {
    matches.value_source(option) == Some(ValueSource::CommandLine)
}

impl Arguments {
    /// The command line that these matches are of.
    ///
    /// # Errors
    /// Where an option has no value of its type, which clap has seen to.
    pub fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::from_arg_matches(matches)?;
        let Some((_, of_subcommand)) = matches.subcommand() else { return Ok(arguments) };
        let within = arguments.within.as_deref().and_then(|words| serde_json::from_str(words).ok());
        if let Some(subject) = arguments.command.subject() {
            subject.within = within.unwrap_or_default();
            subject.given = DECISIVE.iter().copied().filter(|option| is_given(of_subcommand, option)).collect();
        }
        if let Command::Run(run) = &mut arguments.command {
            run.settle(of_subcommand);
        }
        Ok(arguments)
    }
}

impl Command {
    fn subject(&mut self) -> Option<&mut Subject> {
        match self {
            Self::Run(run) => Some(&mut run.subject),
            Self::Prove(prove) => Some(&mut prove.subject),
            Self::Fuzz(fuzz) => Some(&mut fuzz.subject),
            Self::Replay(replay) => Some(&mut replay.subject),
            _ => None,
        }
    }
}

impl Run {
    /// The directory of what is kept, if anything is.
    #[must_use]
    pub fn kept(&self) -> Option<PathBuf> {
        self.keep.clone().or_else(|| self.replay.as_ref().map(|_| PathBuf::from(KEPT)))
    }

    /// One check must not take the place of the results of a whole run.
    fn settle(&mut self, matches: &ArgMatches) {
        if self.replay.is_some() && !is_given(matches, "output") {
            self.output = self.kept().unwrap_or_default().join(Path::new("results.json"));
        }
    }
}
