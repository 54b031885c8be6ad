//! `plimsoll replay`: runs a check or a saved case again.

use std::path::Path;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory};
use plimsoll_engine::host;
use plimsoll_foreign::trust;
use plimsoll_reports::file::Document;
use plimsoll_reports::model::Report;
use plimsoll_suites::renamed;

use crate::args::{Arguments, Command, DECISIVE, DisplayOptions, Replay, Subject, is_given};
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::replay::{ReplayCommand, line};

/// `plimsoll replay`: a check of results, or a saved case.
pub fn replay(args: &Replay, display: DisplayOptions) -> Result<ExitCode, Failure> {
    match (&args.id, args.place.is_dir()) {
        (None, true) => crate::commands::fuzz::replay(args, display),
        (Some(id), false) => check(args, id, display),
        (None, false) if args.place.is_file() => Err(Failure::Usage(format!(
            "{} is not a saved case; for results, give the id of a check: plimsoll replay RESULTS ID",
            args.place.display()
        ))),
        (None, false) => crate::commands::fuzz::replay(args, display),
        (Some(_), true) => {
            Err(Failure::Usage(format!("{} is the directory of a saved case: leave out the id", args.place.display())))
        }
    }
}

/// Runs a check of results again. They say which program is executed as root, so they are announced, and refused where somebody
/// else could have written them.
fn check(args: &Replay, id: &str, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let place = args.place.display();
    let mut report = Report::read(&args.place).map_err(Failure::usage)?;
    renamed::update(&mut report);
    let id = renamed::current(id);
    if !report.checks.iter().any(|check| check.id == id) {
        return Err(Failure::Usage(format!("there is no check {id} in {place}")));
    }
    if let Some(why) = trust::objection(&args.place).map_err(Failure::host)? {
        return Err(Failure::Usage(format!(
            "{place} is refused: it decides what is executed as root, and {why}; make it writable only for yourself, or call \
             `plimsoll run --replay {id}`"
        )));
    }
    let words = words(&report, &args.subject).map_err(|why| Failure::Usage(format!("{place} {why}")))?;
    let words: Vec<String> = words.into_iter().chain(["--replay".to_owned(), id.to_owned()]).collect();
    say(&line(words.iter().cloned()));
    if let ([], Some(now)) = (args.subject.runtime.as_slice(), changed(&report)) {
        say(&format!(
            "plimsoll: {} has changed since that run (SHA-256 {:.12}, now {now:.12})",
            report.runtime.path, report.runtime.sha256
        ));
    }
    let arguments = matches(&words).and_then(|matches| Arguments::of(&matches)).map_err(Failure::usage)?;
    crate::act(Arguments { display, ..arguments })
}

/// The SHA-256 that the runtime has now, if that is another one.
fn changed(report: &Report) -> Option<String> {
    let now = host::sha256(Path::new(report.runtime.path.raw())).ok()?;
    (now != report.runtime.sha256).then_some(now)
}

/// The words of the results, with the options that are given now in place of theirs.
fn words(report: &Report, now: &Subject) -> Result<Vec<String>, String> {
    let nothing = "does not contain its command, as results before schema 1.2: call `plimsoll run … --replay ID` with its options";
    let foreign = "contains a command that plimsoll does not write";
    let first = report.command.first().ok_or(nothing)?;
    let subcommand =
        if first == "vm" { report.command.iter().position(|word| word == "--").map_or(0, |at| at + 1) } else { 0 };
    let (within, run) = report.command.split_at(subcommand);
    let then = subject_of(run, "run", DECISIVE).flatten().ok_or(foreign)?;
    let machine = ["kernel", "cgroup", "lsm", "add", "memory", "cpus", "accel", "command"];
    if !within.is_empty() && subject_of(&report.command, "vm", &machine).is_none() {
        return Err(foreign.to_owned());
    }
    let mut subject = then;
    subject.within = within.to_vec();
    overlay(&mut subject, now);
    ReplayCommand::of(&subject)
        .map(|again| again.run())
        .map_err(|why| format!("names something that does not exist any more: {why}"))
}

/// What these words say of the subject; nothing at all where they have another command or other options.
fn subject_of(words: &[String], subcommand: &str, allowed: &[&str]) -> Option<Option<Subject>> {
    let matches = matches(words).ok()?;
    let (name, of_subcommand) = matches.subcommand()?;
    let command = Arguments::command();
    let options = command.find_subcommand(subcommand)?.get_arguments().chain(command.get_arguments());
    let mut others = options.map(|option| option.get_id().as_str()).filter(|id| !allowed.contains(id));
    let only_allowed = name == subcommand
        && others.all(|id| !matches!(of_subcommand.try_contains_id(id), Ok(true)) || !is_given(of_subcommand, id));
    let arguments = Arguments::of(&matches).ok().filter(|_| only_allowed)?;
    Some(if let Command::Run(run) = arguments.command { Some(run.subject) } else { None })
}

fn matches(words: &[String]) -> Result<ArgMatches, clap::Error> {
    Arguments::command().try_get_matches_from([&["plimsoll".to_owned()], words].concat())
}

fn overlay(subject: &mut Subject, now: &Subject) {
    for option in &now.given {
        match *option {
            "runtime" => subject.runtime.clone_from(&now.runtime),
            "profile" => subject.profile.clone_from(&now.profile),
            "cgroup_view" => subject.cgroup_view = now.cgroup_view,
            "spec" => subject.spec = now.spec,
            "timeout" => subject.timeout = now.timeout,
            "time_scale" => subject.time_scale = now.time_scale,
            other => debug_assert!(false, "{other} decides a verdict"),
        }
    }
    subject.given.extend(&now.given);
}
