//! `plimsoll`: judges OCI runtimes. Here the command line is taken apart and each verb called; exit codes are those of
//! [`Failure`] and of the report.

mod args;
mod compare;
mod failure;
mod known;
mod list;
mod merge;
mod output;
mod progress;
mod prove;
mod report;
mod run;
mod select;
mod session;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    // The same binary is the probe inside the containers: that comes first, and touches nothing else.
    if plimsoll_fixtures::probe::is_probe() {
        plimsoll_fixtures::probe::main();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return failure::usage_answer(&answer),
    };
    let done = match arguments.verb {
        Verb::Run(run) if run.list => list::list(&run),
        Verb::Run(run) => run::run(&run, arguments.look),
        Verb::Prove(prove) => prove::prove(&prove, arguments.look),
        Verb::Report(report) => report::report(&report, arguments.look),
        Verb::Compare(args) => compare::compare(&args, arguments.look),
        Verb::Merge(args) => merge::merge(&args, arguments.look),
        Verb::Expect(args) => known::expect(&args),
        Verb::Clean(clean) => tidy::clean(&clean),
    };
    done.unwrap_or_else(|failure: Failure| {
        eprintln!("plimsoll: {failure}");
        ExitCode::from(failure.code())
    })
}
