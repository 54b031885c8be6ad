//! `plimsoll`: judges OCI runtimes. Here the command line is taken apart and each verb called; exit codes are those of
//! [`Failure`] and of the report.

#![warn(clippy::print_stderr, reason = "what is said passes through `output::say`")]

mod again;
mod args;
mod bench;
mod bundled;
mod clauses;
mod compare;
mod defaults;
mod describe;
mod doctor;
mod failure;
mod fuzz;
mod known;
mod list;
mod merge;
mod output;
mod premises;
mod progress;
mod prove;
mod report;
mod run;
mod select;
mod session;
mod submit;
mod tidy;
mod trace;
mod vm;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{Arguments, Verb};
use crate::defaults::Defaults;
use crate::failure::Failure;
use crate::output::say;

fn main() -> ExitCode {
    // The same binary is the probe inside the containers: that comes first, and touches nothing else.
    if plimsoll_fixtures::probe::is_probe() {
        plimsoll_fixtures::probe::main();
    }
    // And it is the first process of the virtual machines that it starts.
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
    match arguments.verb {
        Verb::Run(run) if run.list => list::list(&run),
        Verb::Run(run) => run::run(&run, arguments.look),
        Verb::Prove(prove) => prove::prove(&prove, arguments.look),
        Verb::Bench(args) => bench::bench(&args, arguments.look),
        Verb::Trace(args) => trace::trace(&args, arguments.look),
        Verb::Fuzz(args) => fuzz::fuzz(&args, arguments.look),
        Verb::Replay(args) => again::replay(&args, arguments.look),
        Verb::Corpus(args) => fuzz::look_after(&args),
        Verb::Doctor(doctor) => doctor::doctor(&doctor),
        Verb::Vm(vm) => vm::vm(&vm, arguments.look),
        Verb::Clauses(args) => clauses::clauses(&args, arguments.look),
        Verb::Report(report) => report::report(&report, arguments.look),
        Verb::Compare(args) => compare::compare(&args, arguments.look),
        Verb::Merge(args) => merge::merge(&args, arguments.look),
        Verb::Expect(args) => known::expect(&args),
        Verb::Submit(args) => submit::submit(&args),
        Verb::VerifySubmission(args) => submit::verify_submission(&args),
        Verb::Completions(args) => describe::completions(&args),
        Verb::Man(args) => describe::man(&args),
        // Only after options: else it was seen above.
        Verb::Runtime { arguments } => Ok(plimsoll_runtime::main(bundled::command_line(arguments)).into()),
        Verb::Clean(clean) => tidy::clean(&clean),
    }
}
