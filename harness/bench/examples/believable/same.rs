//! One binary under two names.

use std::error::Error;
use std::fs;
use std::path::Path;

use plimsoll_bench::experiment::Kind;
use plimsoll_bench::phases::RUN;
use plimsoll_reports::model::bench::Difference;

use crate::field::{Field, ratio};

pub fn show(field: &Field, runtime: &Path, repetitions: u32) -> Result<bool, Box<dyn Error>> {
    let one = field.program(
        "one",
        &plimsoll_foreign::read::file(runtime, plimsoll_foreign::read::PROGRAM).map_err(std::io::Error::from)?,
    )?;
    let two = field.sandbox.dir.join("two");
    fs::hard_link(&one, &two)?;
    let subjects = [field.subject("one", &one)?, field.subject("two", &two)?];
    let (mut close, mut alike) = (0, 0);
    for seed in 1..=repetitions {
        let measured = field.measure(&subjects, Kind::Run, seed)?;
        let found = ratio(&measured, RUN)?;
        let percent = |value: f64| (value - 1.0) * 100.0;
        let interval = found.ratio;
        println!(
            "{seed:>3}  {:+.2} % ({:+.2} to {:+.2})  {:?}",
            percent(interval.value),
            percent(interval.low),
            percent(interval.high),
            found.verdict
        );
        close += u32::from(percent(interval.value).abs() < 1.0);
        alike += u32::from(matches!(found.verdict, Difference::None | Difference::Inconclusive));
    }
    println!("within 1 %: {close} of {repetitions}; neither faster nor slower: {alike} of {repetitions}");
    Ok(close * 10 >= repetitions * 9 && alike * 20 >= repetitions * 19)
}
