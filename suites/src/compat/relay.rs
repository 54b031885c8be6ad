//! `run` and `exec` in the foreground pass on what the program writes and what their caller sends: bytes, signals, the size and the end
//! of the terminal. Judged by what arrives, never by how fast.

use nix::sys::signal::Signal;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::Op;
use plimsoll_engine::relay::{Relay, Streams};
use plimsoll_fixtures::probe::{AWAITED, PATH, READY, numbered_lines};
use serde_json::json;

use super::{compat, process};

/// A program in the foreground, by `run` or `exec`, and what is to be seen of it.
fn relayed(
    lab: &Lab<'_>,
    op: Op,
    streams: Streams,
    program: &str,
    judge: impl FnOnce(Relay<'_>) -> StepResult,
) -> StepResult {
    if op == Op::Run {
        let terminal = streams.has_terminal();
        let bundle = lab.bundle(|r| r.args(&[PATH, program]).set("/process/terminal", terminal))?;
        return judge(lab.relay(&bundle, streams)?);
    }
    let container = lab.running(|r| r)?;
    let mut added = process(&[PATH, program]);
    added["terminal"] = json!(streams.has_terminal());
    judge(container.relay(&added, streams)?)?;
    container.finish_and_delete()
}

/// One scenario a row: its name, the operation and the streams.
macro_rules! relayed {
    ($id:literal, $proves:expr, $judge:expr; $($name:literal, $op:expr, $streams:ident;)*) => {
        compat! { $(
            concat!($id, "/", $name), &[Need::Operation($op)], $proves, |lab, out| {
                let judge: fn(&Lab<'_>, &mut Judgement, Op, Streams) -> StepResult = $judge;
                judge(lab, out, $op, Streams::$streams)
            };
        )* }
    };
}

const SHORT_OF_ONE: &[Fault] =
    &[Fault::Take("/process/args/1", "\"output=19999,12\""), Fault::Take("/process/args/1", "\"output=20000,11\"")];

/// What is read at a time: no buffer on the way is emptied at once.
const LITTLE: usize = 1009;

/// More than any buffer on the way holds, and a slow reader.
pub(super) const LINES: &[Scenario] = relayed! {
    "compat.relay.lines", SHORT_OF_ONE,
        |lab, out, op, streams| relayed(lab, op, streams, "output=20000,12", |relay| arrives(out, relay, 20_000, 12));
    "run", Op::Run, Pipes;
    "run-in-a-terminal", Op::Run, Terminal;
    "exec", Op::Exec, Pipes;
    "exec-in-a-terminal", Op::Exec, Terminal;
};

pub(super) const LONG_LINE: &[Scenario] = relayed! {
    "compat.relay.long-line", &[Fault::Take("/process/args/1", "\"output=1,99999\"")],
        |lab, out, op, streams| relayed(lab, op, streams, "output=1,100000", |relay| arrives(out, relay, 1, 100_000));
    "run", Op::Run, Pipes;
    "run-in-a-terminal", Op::Run, Terminal;
    "exec", Op::Exec, Pipes;
    "exec-in-a-terminal", Op::Exec, Terminal;
};

/// The runtime copies from the container's terminal to a pipe that takes nothing at the moment, and says so.
pub(super) const FULL_PIPE: &[Scenario] = relayed! {
    "compat.relay.full-pipe", &[Fault::Take("/process/args/1", "\"output=1999,12\"")],
        |lab, out, op, streams| relayed(lab, op, streams, "output=2000,12", |relay| arrives(out, relay, 2000, 12));
    "run", Op::Run, FullPipe;
    "exec", Op::Exec, FullPipe;
};

/// Every byte that the program writes arrives, and in order. A terminal may add a carriage return to each line.
fn arrives(out: &mut Judgement, mut relay: Relay<'_>, count: usize, width: usize) -> StepResult {
    relay.sip(LITTLE)?;
    let (outcome, bytes) = relay.finish()?;
    out.expect_eq("how the call ends", outcome.ended, Ended::Exit(0));
    same(out, &bytes, &numbered_lines(count, width).collect::<String>());
    Ok(())
}

fn same(out: &mut Judgement, bytes: &[u8], wanted: &str) {
    let arrived = String::from_utf8_lossy(bytes).replace('\r', "");
    let arrived = arrived.trim_start_matches('.');
    let at = wanted.bytes().zip(arrived.bytes()).take_while(|(wanted, arrived)| wanted == arrived).count();
    let near: String = arrived.chars().skip(at.saturating_sub(10)).take(30).collect();
    // The end of a line is what may be missing.
    let near = near.escape_default();
    let seen = format!("{} bytes, right up to byte {at}, around which is \"{near}\"", arrived.len());
    out.expect("what arrives", arrived == wanted, format!("the {} bytes that were written", wanted.len()), seen);
}

pub(super) const INPUT: &[Scenario] = relayed! {
    "compat.relay.input", &[Fault::Take("/process/args/1", "\"output=1999,12\"")],
        |lab, out, op, streams| relayed(lab, op, streams, "copy", |mut relay| {
            let text: String = numbered_lines(2000, 12).collect();
            relay.types(text.as_bytes())?;
            relay.end_input();
            let (outcome, bytes) = relay.finish()?;
            out.expect_eq("how the call ends", outcome.ended, Ended::Exit(0));
            same(out, &bytes, &text);
            Ok(())
        });
    "run-and-its-end", Op::Run, Pipes;
    "exec-and-its-end", Op::Exec, Pipes;
};

pub(super) const RESIZE: &[Scenario] = relayed! {
    "compat.relay.resize", &[Fault::Take("/process/args/1", "\"await=28\"")],
        |lab, out, op, streams| relayed(lab, op, streams, "await", |mut relay| {
            relay.reads(READY.trim())?;
            relay.resize(41, 97)?;
            relay.signal(Signal::SIGWINCH)?;
            relay.reads("size 41x97")?;
            relay.types(b"\x03")?;
            ends_by(out, relay, 2)
        });
    "run", Op::Run, Terminal;
    "exec", Op::Exec, Terminal;
};

/// One scenario a row: a key, and the signal that the program gets of its terminal.
macro_rules! keys {
    ($($name:literal, $op:expr, $key:literal, $signal:literal;)*) => {
        compat! { $(
            concat!("compat.relay.keys/", $name), &[Need::Operation($op)],
                &[Fault::Take("/process/args/1", concat!("\"await=", $signal, "\""))],
                |lab, out| relayed(lab, $op, Streams::Terminal, "await", |mut relay| {
                    relay.reads(READY.trim())?;
                    relay.types($key)?;
                    ends_by(out, relay, $signal)
                });
        )* }
    };
}

pub(super) const KEYS: &[Scenario] = keys! {
    "interrupt-run", Op::Run, b"\x03", 2;
    "quit-run", Op::Run, b"\x1c", 3;
    "interrupt-exec", Op::Exec, b"\x03", 2;
    "quit-exec", Op::Exec, b"\x1c", 3;
};

/// The program says which signal has come, and exits.
fn ends_by(out: &mut Judgement, mut relay: Relay<'_>, signal: i32) -> StepResult {
    relay.reads(&format!("signal {signal}"))?;
    let (outcome, _) = relay.finish()?;
    out.expect_eq("how the call ends", outcome.ended, Ended::Exit(AWAITED + signal));
    Ok(())
}

/// One scenario a row: a signal to the runtime, with its number.
macro_rules! signals {
    ($($name:literal, $op:expr, $signal:ident, $number:literal;)*) => {
        compat! { $(
            concat!("compat.relay.signal/", $name), &[Need::Operation($op)],
                &[Fault::Take("/process/args/1", concat!("\"await=", $number, "\""))],
                |lab, out| relayed(lab, $op, Streams::Pipes, "await", |mut relay| {
                    relay.reads(READY.trim())?;
                    relay.signal(Signal::$signal)?;
                    ends_by(out, relay, $number)
                });
        )* }
    };
}

pub(super) const SIGNALS: &[Scenario] = signals! {
    "hup", Op::Run, SIGHUP, 1;
    "int", Op::Run, SIGINT, 2;
    "quit", Op::Run, SIGQUIT, 3;
    "usr1", Op::Run, SIGUSR1, 10;
    "usr2", Op::Run, SIGUSR2, 12;
    "term", Op::Run, SIGTERM, 15;
};

pub(super) const SIGNALS_OF_EXEC: &[Scenario] = signals! {
    "term-at-exec", Op::Exec, SIGTERM, 15;
    "int-at-exec", Op::Exec, SIGINT, 2;
};

/// The program hears of it, or the call ends and takes the terminal inside away.
pub(super) const HANG_UP: &[Scenario] = relayed! {
    "compat.relay.hang-up", &[Fault::Take("/process/args/1", "\"await=1\"")],
        |lab, out, op, streams| relayed(lab, op, streams, "await", |mut relay| {
            relay.reads(READY.trim())?;
            relay.hang_up();
            let (outcome, _) = relay.finish()?;
            out.expect("the call", outcome.ended != Ended::Deadline, "ends", outcome.ended);
            Ok(())
        });
    "run", Op::Run, OwnTerminal;
    "exec", Op::Exec, OwnTerminal;
};
