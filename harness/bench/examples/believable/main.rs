//! Shows whether the figures of the bench can be believed, on this machine and now:
//! ```sh
//! cargo run --release -p plimsoll-bench --example believable -- same RUNTIME        # one binary under two names
//! cargo run --release -p plimsoll-bench --example believable -- added RUNTIME       # a millisecond more in create
//! cargo run --release -p plimsoll-bench --example believable -- hyperfine RUNTIME…  # beside another stopwatch
//! ```
//! Needs root, and for the last one hyperfine. Exits with 1 when a claim does not hold.
#![expect(clippy::print_stdout, reason = "a program that prints what it finds")]

mod added;
mod field;
mod hyperfine;
mod same;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use field::Field;

/// Show whether the figures of the bench can be believed.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    campaign: Campaign,
    /// Blocks of a repetition.
    #[arg(long, global = true, default_value_t = 800)]
    blocks: u32,
    /// Repetitions.
    #[arg(long, global = true, default_value_t = 20)]
    repetitions: u32,
    /// Show the runtime the hierarchies of version 1 alone.
    #[arg(long, global = true)]
    v1: bool,
}

#[derive(Subcommand)]
enum Campaign {
    /// The same binary under two names, by hot `run`: within 1 % in 9 of 10 repetitions, told apart in at most 1 of 20.
    Same { runtime: PathBuf },
    /// A wrapper that takes a millisecond in `create` beside the same one that takes none: found within 0.2 ms each time.
    Added { runtime: PathBuf },
    /// The median of hot `run` here and by `hyperfine -N`: within 5 %.
    Hyperfine { runtime: Vec<PathBuf> },
}

fn main() -> ExitCode {
    if let Some(code) = added::called_as_wrapper() {
        return code;
    }
    match campaign(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("believable: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether what is claimed holds.
fn campaign(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let field = Field::open(arguments.v1, arguments.blocks)?;
    let repetitions = arguments.repetitions;
    match &arguments.campaign {
        Campaign::Same { runtime } => same::show(&field, runtime, repetitions),
        Campaign::Added { runtime } => added::show(&field, runtime, repetitions),
        Campaign::Hyperfine { runtime } => hyperfine::show(&field, runtime, repetitions),
    }
}
