//! A report of a hundred thousand checks, of which each sixth has all the evidence that a failure has: what each format
//! takes. The limit of memory is a verdict; times are printed, and mean something only where nothing else runs:
//! `cargo test --release --locked -p plimsoll --test cli -- --ignored --nocapture large`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use plimsoll_engine::execute::blank;
use plimsoll_fixtures::Config;
use plimsoll_reports::format::Format;
use plimsoll_reports::model::{Call, Check, Evidence, Finding, Host, Report, Runtime, SCHEMA, Verdict};

use crate::bench::Bench;

const CHECKS: usize = 100_000;
const MEMORY_MB: i64 = 300;

#[test]
#[ignore = "writes a gigabyte and takes a minute"]
fn a_large_report_takes_little_in_every_format() {
    let bench = Bench::new();
    write(&bench.path("large.json")).unwrap();
    let size = bench.path("large.json").metadata().unwrap().len();
    eprintln!("{CHECKS} checks, {} MB; the peak is the highest so far", size >> 20);
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Killed) {
        takes_little(&bench, format.as_str(), &[format]);
    }
    takes_little(&bench, "several", &[Format::Html, Format::Junit, Format::Markdown, Format::Badge]);
}

fn takes_little(bench: &Bench, name: &str, formats: &[Format]) {
    let before = children();
    let wishes = formats.iter().map(|format| format!("--format={format}={format}.out"));
    let args: Vec<String> = ["report".to_owned(), "large.json".to_owned()].into_iter().chain(wishes).collect();
    let ran = bench.plimsoll(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
    let after = children();
    let peak = after.max_rss() >> 10;
    eprintln!("{name:<10} {:>5.2} s of processor time, peak {peak} MB", (cpu(&after) - cpu(&before)).as_secs_f64());
    assert!(peak < MEMORY_MB, "{name} took {peak} MB");
}

fn children() -> Usage {
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap()
}

fn cpu(usage: &Usage) -> Duration {
    let micros = [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Duration::from_micros(micros.iter().sum::<i64>().unsigned_abs())
}

/// Writes the suite again and again, as a runtime with as many faults as some have would come out of it. One by one: what
/// this process holds would be counted as its children's, who begin with it.
fn write(path: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let frame = serde_json::to_string_pretty(&report())?;
    let (before, after) = frame.rsplit_once(']').unwrap();
    out.write_all(before.as_bytes())?;
    let suite: Vec<Check> = plimsoll_suites::all().iter().map(blank).collect();
    let times = 0..=CHECKS / suite.len();
    let checks =
        suite.iter().flat_map(|check| times.clone().map(|time| (format!("{}-{time:05}", check.id), check.clone())));
    for (number, (id, check)) in checks.take(CHECKS).enumerate() {
        out.write_all(if number == 0 { b"" } else { b"," })?;
        serde_json::to_writer_pretty(&mut out, &judged(number, Check { id, ..check }))?;
    }
    out.write_all(b"]")?;
    out.write_all(after.as_bytes())
}

/// A run without checks.
fn report() -> Report {
    let text = str::to_owned;
    Report {
        schema: text(SCHEMA),
        plimsoll: text(env!("CARGO_PKG_VERSION")),
        run: text("large"),
        runtime: Runtime {
            path: "/usr/bin/runtime".into(),
            version: "runtime version 1".into(),
            version_hung: false,
            sha256: text(""),
            profile: text("runtime"),
            spec: text("1.3.0"),
        },
        host: Host {
            kernel: text("6.1.0"),
            machine: text("x86_64"),
            cgroups: text("v2"),
            cgroup_view: text("host"),
            lsms: vec![],
            missing_capabilities: vec![],
            accelerator: None,
        },
        started_at: 1_753_000_000,
        duration_ms: 1_000_000,
        cut_short: None,
        partition: None,
        command: Vec::new(),
        checks: vec![],
    }
}

fn judged(number: usize, check: Check) -> Check {
    let finding = |what: &str| Finding {
        what: what.to_owned(),
        expected: "no such entry".to_owned(),
        observed: "7 -> /run/runtime/<state>".to_owned(),
    };
    let (verdict, findings) = match number % 12 {
        0 => (Verdict::Fail, vec![finding("/proc/self/fd"), finding("/proc/self/status")]),
        6 => (Verdict::Warn, vec![finding("/proc/self/fd")]),
        _ => return Check { verdict: Verdict::Pass, ..check },
    };
    Check { verdict, findings, evidence: Some(evidence()), ..check }
}

/// Four calls and two configurations: the file becomes as large as one of real results of runc, repeated.
fn evidence() -> Evidence {
    let call = |subcommand: &str| Call {
        command: format!(
            "runtime --root /run/plimsoll-large/state {subcommand} --bundle /run/plimsoll-large/bundle c1"
        ),
        ended: "exit 0".to_owned(),
        stdout: "".into(),
        stderr: "level=warning msg=\"this is what it had to say\"\n".into(),
        duration_ms: 12.5,
    };
    let configs = ["one", "two"].map(|name| (name.to_owned(), Config::base().0.into()));
    Evidence {
        replay: "plimsoll check --runtime runtime --keep DIR check".to_owned(),
        calls: ["create", "start", "kill", "delete"].map(call).into(),
        configs: configs.into(),
        kept: None,
    }
}
