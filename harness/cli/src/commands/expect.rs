//! `plimsoll expect`.

use std::process::ExitCode;

use plimsoll_foreign::read;
use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::file::{Document, write_text};
use plimsoll_reports::model::Report;
use plimsoll_suites::renamed;

use crate::args::{Expect, ExpectCommand, Update};
use crate::shared::failure::Failure;
use crate::shared::output::{print, say};

/// Works on a file of expectations.
pub fn expect(args: &Expect) -> Result<ExitCode, Failure> {
    let ExpectCommand::Update(args) = &args.command;
    update(args)
}

fn update(args: &Update) -> Result<ExitCode, Failure> {
    let mut report = Report::read(&args.results).map_err(Failure::usage)?;
    renamed::update(&mut report);
    if let Some(reason) = &report.cut_short {
        return Err(Failure::Usage(format!("{} is incomplete: {reason}", args.results.display())));
    }
    let path = args.expect.display();
    let text = match read::given(&args.expect, read::SETTINGS) {
        Err(why) if why.is_absent() => String::new(),
        other => other.map_err(|why| Failure::Usage(format!("cannot read {path}: {why}")))?,
    };
    let file = Expectations::parse(&path.to_string(), &text).map_err(Failure::usage)?;
    let file = file.with_former_ids(renamed::former);
    let update = file.update(&text, &report).map_err(Failure::usage)?;
    if args.dry_run {
        print(&update.text)?;
    } else if update.text != text {
        write_text(&update.text, "expectations", &args.expect).map_err(Failure::host)?;
    }
    update.removed.iter().for_each(|id| say(&format!("removed {id}")));
    update.added.iter().for_each(|id| say(&format!("added   {id}: fill in the reason")));
    Ok(ExitCode::SUCCESS)
}
