//! `plimsoll vm`: runs a command of plimsoll in virtual machines and brings back what came of it.

mod cargo;
mod wanted;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use clap::Parser;
use plimsoll_reports::text::printable;
use plimsoll_vm::environment::Accelerator;
use plimsoll_vm::error::Error;
use plimsoll_vm::job::Job;
use plimsoll_vm::machine::{self, Completed, Listener, Live};
use plimsoll_vm::pack::pack;
use plimsoll_vm::qemu::Hardware;
use plimsoll_vm::wire::Returned;

use crate::args::{Acceleration, Arguments, Verb, Vm};
use crate::failure::{Failure, usage_answer};
use crate::session::{INTERRUPTED, interrupted};
use cargo::Cargo;
use wanted::{Wanted, wanted};

/// Runs the command in each machine that is asked for.
pub fn vm(args: &Vm) -> Result<ExitCode, Failure> {
    let words = [std::ffi::OsString::from("plimsoll")].into_iter().chain(args.command.iter().cloned());
    let command = match Arguments::try_parse_from(words) {
        Ok(Arguments { verb: Verb::Vm(_) }) => {
            return Err(Failure::Usage("a machine inside a machine is not to be had: name another command".to_owned()));
        }
        Ok(command) => command,
        Err(answer) => return Ok(usage_answer(&answer)),
    };
    let machines = wanted(args)?;
    let cargo = Cargo::of(&command.verb, args)?;
    plimsoll_engine::sys::on_interrupt(&INTERRUPTED).map_err(Failure::host)?;
    let only = &machines[0];
    alone(args, only, &cargo)
}

fn alone(args: &Vm, wanted: &Wanted, cargo: &Cargo) -> Result<ExitCode, Failure> {
    let mut shown = Ok(());
    let mut tell = |live: Live<'_>| {
        if shown.is_ok() {
            shown = show(live);
        }
    };
    let completed = carry_out(args, wanted, cargo, &mut tell).map_err(|why| {
        let tail: String = why.console().iter().map(|line| format!("  console  {}\n", printable(line))).collect();
        eprint!("{tail}");
        Failure::from(why)
    })?;
    shown.map_err(Failure::host)?;
    completed.files.iter().try_for_each(bring_back)?;
    Ok(ExitCode::from(u8::try_from(completed.code).unwrap_or(2)))
}

fn carry_out(args: &Vm, wanted: &Wanted, cargo: &Cargo, tell: &mut dyn FnMut(Live<'_>)) -> Result<Completed, Error> {
    wanted.kernel.fit_for(wanted.lsm)?;
    let job = Job {
        arguments: cargo.arguments.clone(),
        directory: cargo.directory.clone(),
        variables: cargo.variables.clone(),
        cgroups: wanted.cgroups,
        lsm: wanted.lsm,
        returns: cargo.returns.clone(),
        modules: Vec::new(),
    };
    let root = pack(&wanted.kernel, &cargo.programs, &cargo.files, &job)?;
    let processors = || u16::try_from(std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(1);
    let hardware = Hardware {
        kernel: wanted.kernel.clone(),
        lsm: wanted.lsm,
        accelerator: match args.accel {
            Acceleration::Kvm => Accelerator::Kvm,
            _ => Accelerator::Tcg,
        },
        memory: args.memory,
        processors: args.cpus.unwrap_or_else(processors),
    };
    machine::run(&hardware, &root, &mut Listener { tell, interrupted: &interrupted })
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
