//! `plimsoll man`.

use std::fs;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Arguments, Man};
use crate::shared::failure::Failure;

/// Writes a manual page for the program and one for each command.
pub fn man(args: &Man) -> Result<ExitCode, Failure> {
    let dir = args.dir.display();
    fs::create_dir_all(&args.dir).map_err(|why| Failure::Host(format!("cannot make the directory {dir}: {why}")))?;
    let written = clap_mangen::generate_to(Arguments::command(), &args.dir);
    written.map_err(|why| Failure::Host(format!("cannot write manual pages to {dir}: {why}")))?;
    Ok(ExitCode::SUCCESS)
}
