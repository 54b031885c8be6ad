//! Options for the output of every command.

use std::env;
use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use plimsoll_reports::table::Style;

/// Verbosity and colour.
#[derive(Clone, Copy, Debug, Args)]
pub struct DisplayOptions {
    /// When to use colour. `auto` means on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub color: When,
    /// Print no progress and no table; see the exit code.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show passed checks too, and all details.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always, whatever NO_COLOR says.
    Always,
    /// Never.
    Never,
}

impl DisplayOptions {
    /// The style of a report on standard output.
    #[must_use]
    pub fn style(self) -> Style {
        let color = match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
        };
        Style { color, width: None, verbose: self.verbose }
    }
}
