//! What describes this program to shells and to man(1), made from its own command line.

use std::fs;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Arguments, Completions, Man};
use crate::shared::failure::Failure;
use crate::shared::output::print;

/// Prints the completions for a shell.
pub fn completions(args: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "plimsoll", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a manual page for the program and one for each command.
pub fn man(args: &Man) -> Result<ExitCode, Failure> {
    let dir = args.dir.display();
    fs::create_dir_all(&args.dir).map_err(|why| Failure::Host(format!("cannot make the directory {dir}: {why}")))?;
    let written = clap_mangen::generate_to(Arguments::command(), &args.dir);
    written.map_err(|why| Failure::Host(format!("cannot write manual pages to {dir}: {why}")))?;
    Ok(ExitCode::SUCCESS)
}
