//! `plimsoll`: judges OCI runtimes. Here the command line is taken apart and each verb called; exit codes are those of
//! [`Failure`] and of the report.

mod args;
mod doctor;
mod failure;
mod list;
mod output;
mod progress;
mod prove;
mod report;
mod run;
mod select;
mod session;
mod tidy;
mod vm;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    // The same binary is the probe inside the containers: that comes first, and touches nothing else.
    if plimsoll_fixtures::probe::is_probe() {
        plimsoll_fixtures::probe::main();
    }
    // And it is the first process of the virtual machines that it starts.
    if plimsoll_vm::guest::is_first_process() {
        plimsoll_vm::guest::main();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return failure::usage_answer(&answer),
    };
    let done = match arguments.verb {
        Verb::Run(run) if run.list => list::list(&run),
        Verb::Run(run) => run::run(&run, arguments.look),
        Verb::Prove(prove) => prove::prove(&prove, arguments.look),
        Verb::Doctor(doctor) => doctor::doctor(&doctor),
        Verb::Vm(vm) => vm::vm(&vm, arguments.look),
        Verb::Report(report) => report::report(&report, arguments.look),
        Verb::Clean(clean) => tidy::clean(&clean),
    };
    done.unwrap_or_else(|failure: Failure| {
        eprintln!("plimsoll: {failure}");
        ExitCode::from(failure.code())
    })
}
