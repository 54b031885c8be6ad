//! `plimsoll`: conformance tests and benchmarks for OCI runtimes. Parses the command line and calls a command. Exit codes are those
//! of [`Failure`] and of the report.

#![warn(clippy::print_stderr, reason = "what is said passes through `output::say`")]

mod args;
mod commands;
mod shared;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Arguments, Command};
use crate::commands::{bench, clauses, clean, compare, completions, doctor, expect, fuzz, list, man, merge, prove};
use crate::commands::{replay, report, run, submit, trace, vm};
use crate::shared::defaults::Defaults;
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::{bundled, failure};

fn main() -> ExitCode {
    // The same binary is the probe inside the containers: that comes first, and touches nothing else.
    if plimsoll_fixtures::probe::is_probe() {
        plimsoll_fixtures::probe::main();
    }
    // And it is the init process of the virtual machines that it starts.
    if plimsoll_vm::guest::is_first_process() {
        plimsoll_vm::guest::main();
    }
    // And it is the bundled runtime.
    if let Some(arguments) = bundled::called(std::env::args_os()) {
        return plimsoll_runtime::main(arguments).into();
    }
    plimsoll_engine::sys::forget_the_caller();
    let done = match arguments() {
        Ok(Ok(arguments)) => act(arguments),
        Ok(Err(answer)) => return failure::usage_answer(&answer),
        Err(failure) => Err(failure),
    };
    done.unwrap_or_else(|failure: Failure| {
        say(&format!("plimsoll: {failure}"));
        ExitCode::from(failure.code())
    })
}

/// The command line, with the defaults of the project.
fn arguments() -> Result<Result<Arguments, clap::Error>, Failure> {
    let given: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let command = Defaults::read(&given)?.put_into(Arguments::command());
    Ok(command.try_get_matches().and_then(|matches| Arguments::of(&matches)))
}

/// Does what a command line says.
fn act(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Run(run) if run.list => list::list(&run),
        Command::Run(run) if run.list_circumstances => list::list_circumstances(),
        Command::Run(run) => run::run(&run, arguments.display),
        Command::Prove(prove) => prove::prove(&prove, arguments.display),
        Command::Bench(args) => bench::bench(&args, arguments.display),
        Command::Trace(args) => trace::trace(&args, arguments.display),
        Command::Fuzz(args) => fuzz::fuzz(&args, arguments.display),
        Command::Replay(args) => replay::replay(&args, arguments.display),
        Command::Corpus(args) => fuzz::look_after(&args),
        Command::Doctor(doctor) => doctor::doctor(&doctor),
        Command::Vm(vm) => vm::vm(&vm, arguments.display),
        Command::Clauses(args) => clauses::clauses(&args, arguments.display),
        Command::Report(report) => report::report(&report, arguments.display),
        Command::Compare(args) => compare::compare(&args, arguments.display),
        Command::Merge(args) => merge::merge(&args, arguments.display),
        Command::Expect(args) => expect::expect(&args),
        Command::Submit(args) => submit::submit(&args),
        Command::VerifySubmission(args) => submit::verify_submission(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
        // Only after options: else it was seen above.
        Command::Runtime { arguments } => Ok(plimsoll_runtime::main(bundled::command_line(arguments)).into()),
        Command::Clean(clean) => clean::clean(&clean),
    }
}
