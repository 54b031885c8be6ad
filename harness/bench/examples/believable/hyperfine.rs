//! The same command beside hyperfine, in turns, since the machine drifts.

use std::error::Error;
use std::ffi::CString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use plimsoll_bench::call::Call;
use plimsoll_bench::experiment::Kind;
use plimsoll_bench::phases::RUN;
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::{STAMP, Sites};
use plimsoll_bench::statistics::median;
use plimsoll_engine::profile::Op;
use serde_json::Value;

use crate::field::Field;

/// How far the two may be from each other.
const TOLERANCE: f64 = 0.05;

pub fn show(field: &Field, runtimes: &[PathBuf], repetitions: u32) -> Result<bool, Box<dyn Error>> {
    let mut all_agree = true;
    for (at, runtime) in runtimes.iter().enumerate() {
        let subject = [field.subject(&format!("h{at}"), runtime)?];
        let scenario = Scenario::named("default").ok_or("no default scenario")?;
        let place = Sites::new(&field.sandbox)?;
        let site = place.site(&format!("h{at}"), &scenario, STAMP)?;
        let call = subject[0].call(Op::Run, &site, |values| values)?.ok_or("the runtime has no run")?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for seed in 1..=repetitions {
            let measured = field.measure(&subject, Kind::Run, seed)?;
            let phases = measured.subjects.into_iter().flat_map(|subject| subject.phases);
            ours.extend(phases.filter(|phase| phase.name == RUN).flat_map(|phase| phase.samples_ms));
            theirs.extend(hyperfine(field, &call)?);
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        let apart = ours / theirs - 1.0;
        let name = runtime.display();
        println!("{name}: {ours:.3} ms here, {theirs:.3} ms by hyperfine: {:+.1} %", apart * 100.0);
        all_agree &= apart.abs() <= TOLERANCE;
    }
    Ok(all_agree)
}

/// The times that hyperfine takes, in milliseconds.
fn hyperfine(field: &Field, call: &Call) -> Result<Vec<f64>, Box<dyn Error>> {
    let quoted = |word: &CString| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"));
    let words: Vec<String> = call.argv().iter().map(quoted).collect();
    let variables = call.env().iter().filter_map(|pair| pair.to_str().ok()?.split_once('='));
    let file = field.sandbox.dir.join("hyperfine.json");
    let mut stopwatch = Command::new("hyperfine");
    stopwatch.args(["-N", "--style=none", "--warmup=3", "--runs"]).arg(field.blocks().to_string());
    stopwatch.arg("--export-json").arg(&file).arg(words.join(" ")).env_clear().envs(variables);
    let ended = stopwatch.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !ended.success() {
        return Err(format!("hyperfine: {ended}").into());
    }
    let found: Value = serde_json::from_slice(
        &plimsoll_foreign::read::file(&file, plimsoll_foreign::read::LOG).map_err(std::io::Error::from)?,
    )?;
    let times = found["results"][0]["times"].as_array().into_iter().flatten();
    Ok(times.filter_map(Value::as_f64).map(|seconds| seconds * 1e3).collect())
}
