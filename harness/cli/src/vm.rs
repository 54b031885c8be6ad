//! `plimsoll vm`: runs a command of plimsoll in virtual machines and brings back what came of it.

mod cargo;
mod side_by_side;
mod trial;
mod wanted;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use clap::Parser;
use plimsoll_reports::text::printable;
use plimsoll_vm::error::Error;
use plimsoll_vm::machine::Live;
use plimsoll_vm::wire::Returned;

use crate::args::{Arguments, Look, Verb, Vm};
use crate::failure::{Failure, usage_answer};
use crate::session::INTERRUPTED;
use cargo::Cargo;
use trial::Trial;
use wanted::wanted;

/// Runs the command in each machine that is asked for.
pub fn vm(args: &Vm, look: Look) -> Result<ExitCode, Failure> {
    let words = [OsString::from("plimsoll")].into_iter().chain(args.command.iter().cloned());
    let command = match Arguments::try_parse_from(words) {
        Ok(Arguments { verb: Verb::Vm(_), .. }) => {
            return Err(Failure::Usage("a machine inside a machine is not to be had: name another command".to_owned()));
        }
        Ok(command) => command.verb,
        Err(answer) => return Ok(usage_answer(&answer)),
    };
    let machines = wanted(args)?;
    let cargo = Cargo::of(&command, args)?;
    plimsoll_engine::sys::on_interrupt(&INTERRUPTED).map_err(Failure::host)?;
    let trial = Trial::prepare(args, &cargo, &machines[0])?;
    match (machines.as_slice(), &command) {
        ([only], _) => alone(&trial, only),
        (several, Verb::Run(run)) => side_by_side::run(&trial, several, run, look),
        _ => Err(Failure::Usage("several machines are for `run`, whose results can be put side by side".to_owned())),
    }
}

fn alone(trial: &Trial<'_>, wanted: &wanted::Wanted) -> Result<ExitCode, Failure> {
    let mut shown = Ok(());
    let mut tell = |live: Live<'_>| {
        if shown.is_ok() {
            shown = show(live);
        }
    };
    let completed = trial.run(wanted, &mut tell).map_err(|why| {
        eprint!("{}", tail(&why));
        Failure::from(why)
    })?;
    shown.map_err(Failure::host)?;
    completed.files.iter().try_for_each(bring_back)?;
    Ok(ExitCode::from(u8::try_from(completed.code).unwrap_or(2)))
}

/// The last lines of the machine's console, as far as there is one.
fn tail(why: &Error) -> String {
    why.console().iter().map(|line| format!("  console  {}\n", printable(line))).collect()
}

fn show(live: Live<'_>) -> io::Result<()> {
    match live {
        Live::Ready => Ok(()),
        Live::Stdout(bytes) => io::stdout().lock().write_all(bytes),
        Live::Stderr(bytes) => io::stderr().lock().write_all(bytes),
    }
}

fn bring_back(file: &Returned) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        if let Some(above) = file.path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(&file.path, &file.bytes)?;
        fs::set_permissions(&file.path, fs::Permissions::from_mode(file.mode))
    };
    write().map_err(|why| Failure::Host(format!("cannot bring {} back: {why}", file.path.display())))
}
