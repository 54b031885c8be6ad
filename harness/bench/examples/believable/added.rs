//! A millisecond more in `create`. What is added is known only when all else is alike, so both are wrapped: a wrapper costs
//! something itself, and cold caches after it.

use std::env;
use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use plimsoll_bench::experiment::Kind;
use plimsoll_bench::phases::CREATE;

use crate::field::{Field, ratio};

/// The word that makes this program a wrapper: the first line of a script that the kernel interprets by it.
const WRAPPER: &str = "wrapper";

/// What is added, and how exactly it has to be found, in milliseconds.
const ADDED: f64 = 1.0;
const TOLERANCE: f64 = 0.2;

/// Becomes the runtime, later if this is a `create`. Comes back when that fails, and when this is no wrapper.
pub fn called_as_wrapper() -> Option<ExitCode> {
    let mut words = env::args_os().skip(1);
    let told = words.next()?.into_string().ok()?;
    let (delay, runtime) = told.strip_prefix(WRAPPER)?.strip_prefix(':')?.split_once(':')?;
    // The script itself comes next.
    let words: Vec<_> = words.skip(1).collect();
    let delay = Duration::from_nanos(delay.parse().ok()?);
    let began = Instant::now();
    while words.iter().any(|word| word == CREATE) && began.elapsed() < delay {
        std::hint::spin_loop();
    }
    eprintln!("{runtime}: {}", Command::new(runtime).args(words).exec());
    Some(ExitCode::from(127))
}

pub fn show(field: &Field, runtime: &Path, repetitions: u32) -> Result<bool, Box<dyn Error>> {
    let (own, runtime) = (env::current_exe()?, std::path::absolute(runtime)?);
    let script = |milliseconds: f64| {
        let nanoseconds = (milliseconds * 1e6).round();
        format!("#!{} {WRAPPER}:{nanoseconds}:{}\n", own.display(), runtime.display())
    };
    let subjects = [
        field.subject("at-once", &field.program("at-once", script(0.0).as_bytes())?)?,
        field.subject("later", &field.program("later", script(ADDED).as_bytes())?)?,
    ];
    let mut found_well = 0;
    for seed in 1..=repetitions {
        let measured = field.measure(&subjects, Kind::Lifecycle, seed)?;
        let found = ratio(&measured, CREATE)?;
        let added = found.difference_ms;
        println!("{seed:>3}  {:+.3} ms ({:+.3} to {:+.3})  {:?}", added.value, added.low, added.high, found.verdict);
        found_well += u32::from((added.value - ADDED).abs() <= TOLERANCE && added.low > 0.0);
    }
    println!("{ADDED} ms found within {TOLERANCE} ms: {found_well} of {repetitions}");
    Ok(found_well == repetitions)
}
