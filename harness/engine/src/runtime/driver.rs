//! Calls the runtime: an operation and its values in, an [`Outcome`] out. Every call has a deadline and bounded output, and is recorded
//! for the report.

pub(crate) mod pending;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_foreign::read;
use plimsoll_reports::model::Call;
use serde_json::Value;

use crate::runtime::caller::CallerState;
use crate::runtime::fault::{Fault, Neutral};
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::runtime::settings::Settings;
use crate::system::process::{Ended, Finished, Running};

/// The value that says how many sockets the caller of create hands over and whose they are, `own` or `another`.
pub(crate) const SOCKETS: &str = "sockets";

/// The value that names the socket of a service manager which makes the call.
pub(crate) const NOTIFY: &str = "notify";

/// The value that says that the caller ignores signals.
pub const DEAF: &str = "deaf";

/// The value that says that the call leads the session of the terminal that it reads from.
pub(crate) const SESSION: &str = "session";

/// Calls one runtime with one state directory.
#[derive(Debug)]
pub struct Driver<'s> {
    settings: &'s Settings,
    /// The state directory: `--root`.
    pub root: PathBuf,
    /// `XDG_RUNTIME_DIR` of a caller that does not name the state directory.
    runtime_dir: RefCell<Option<PathBuf>>,
    state: Cell<CallerState>,
    calls: RefCell<Vec<Call>>,
    /// How often each operation was asked for, where the engine poses with a fault.
    asked: RefCell<BTreeMap<Op, u32>>,
}

impl<'s> Driver<'s> {
    /// A driver whose runtime keeps its state in `root`.
    #[must_use]
    pub fn new(settings: &'s Settings, root: PathBuf) -> Self {
        Self {
            settings,
            root,
            runtime_dir: RefCell::default(),
            state: Cell::default(),
            calls: RefCell::default(),
            asked: RefCell::default(),
        }
    }

    /// Whether the runtime has this operation.
    #[must_use]
    pub fn has(&self, op: Op) -> bool {
        self.settings.profile.operation.contains_key(&op)
    }

    /// The user who calls, where it is not that of the harness.
    pub(crate) fn user(&self) -> Option<u32> {
        self.state.get().user()
    }

    /// From now on the caller is in this state.
    pub(crate) fn call_in(&self, state: CallerState) {
        self.state.set(state);
    }

    /// From now on the state directory is named no more: the runtime finds it by this `XDG_RUNTIME_DIR`.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the profile always names it.
    pub fn leave_root_out(&self, runtime_dir: &Path) -> StepResult {
        let profile = &self.settings.profile;
        if !profile.has_default_root() {
            return Err(Stop::Skip(format!(
                "profile `{}` has no `[root: …]`, so that it can be left out",
                profile.name
            )));
        }
        self.runtime_dir.replace(Some(runtime_dir.to_owned()));
        Ok(())
    }

    /// Calls an operation with nothing on standard input, in directory `dir`.
    ///
    /// # Errors
    /// [`Stop::Timeout`] at the deadline, [`Stop::Skip`] when the runtime does not have the operation,
    /// [`Stop::Error`] when the binary cannot be executed.
    pub fn call(&self, op: Op, values: &Values, dir: &Path) -> StepResult<Outcome> {
        if self.settings.fault.is_some_and(|fault| fault.ignores(op)) {
            return Ok(Outcome { op, ended: Ended::Exit(0), stdout: String::new(), stderr: String::new() });
        }
        let outcome = self.call_once(op, values, dir)?;
        if self.settings.fault == Some(Fault::Twice(op)) {
            let _again = self.call_once(op, values, dir)?;
        }
        Ok(outcome)
    }

    fn call_once(&self, op: Op, values: &Values, dir: &Path) -> StepResult<Outcome> {
        self.end(self.begin(op, values, dir)?)
    }

    /// Starts an operation with these descriptors from number 0 on; hand its end to [`Driver::settle`].
    ///
    /// # Errors
    /// As [`Driver::call`], but for the deadline.
    pub fn start(&self, op: Op, values: &Values, dir: &Path, fds: Vec<OwnedFd>) -> StepResult<(Running, String)> {
        let values = &self.heard(op, values, dir);
        let argv = [self.in_state(), self.in_between(values), self.argv(op, values)?].concat();
        let argv =
            self.settings.fault.map_or_else(|| Ok(argv.clone()), |fault| self.posed(fault, op, values, &argv))?;
        let command = quote(&argv);
        let env = self.settings.environment_with(self.runtime_dir.borrow().as_deref().unwrap_or(&self.settings.dir));
        let running = Running::start(&argv, &env, dir, fds)
            .map_err(|why| Stop::Error(format!("cannot execute {}: {why}", self.settings.runtime.display())))?;
        Ok((running, command))
    }

    /// The values as the runtime gets them.
    fn heard(&self, op: Op, values: &Values, dir: &Path) -> Values {
        let values = match (&*self.runtime_dir.borrow(), self.settings.fault) {
            (None, _) => values.clone().with("root", self.root.to_string_lossy()),
            (Some(dir), Some(Fault::StateIn(place))) => values.clone().with("root", dir.join(place).to_string_lossy()),
            (Some(_), _) => values.clone(),
        };
        match self.settings.fault {
            Some(Fault::Forget(at, name)) if at == op => values.without(name),
            Some(Fault::Send(signal)) if op == Op::Kill => values.with("signal", self.settings.profile.signal(signal)),
            Some(Fault::Neutral(neutral)) => neutral.heard(dir, values),
            _ => values,
        }
    }

    /// The program between harness and runtime that gives the caller its state.
    fn in_state(&self) -> Vec<OsString> {
        let words = self.state.get().words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words.is_empty() { Vec::new() } else { self.probe(&words) }
    }

    /// The program between harness and runtime that makes its caller another one.
    fn in_between(&self, values: &Values) -> Vec<OsString> {
        match values.words(SOCKETS) {
            [count, whose] => self.probe(&["activated", count, whose]),
            _ => match values.words(NOTIFY) {
                [socket] => self.probe(&["notified", socket]),
                _ if !values.words(DEAF).is_empty() => self.probe(&["deaf"]),
                _ if !values.words(SESSION).is_empty() => self.probe(&["session"]),
                _ => Vec::new(),
            },
        }
    }

    fn late(&self, neutral: Neutral) -> Vec<OsString> {
        neutral.delay().map_or_else(Vec::new, |delay| self.probe(&[&format!("late={}", delay.as_millis())]))
    }

    fn probe(&self, words: &[&str]) -> Vec<OsString> {
        let own = self.settings.probe.clone().into_os_string();
        [own].into_iter().chain(words.iter().map(OsString::from)).collect()
    }

    /// What is executed instead of the runtime when the engine poses as a wrong one.
    fn posed(&self, fault: Fault, op: Op, values: &Values, argv: &[OsString]) -> StepResult<Vec<OsString>> {
        Ok(match fault {
            _ if fault.ignores(op) => self.probe(&["exit=0"]),
            Fault::Hang(at) if at == op => self.probe(&["hang"]),
            Fault::Flaky(at, code) if at == op && self.nth(op).is_multiple_of(5) => {
                self.probe(&[&format!("exit={code}")])
            }
            Fault::Amend(at, words) if at == op => amended(argv, op, words),
            Fault::Neutral(Neutral::Forwards) => [self.probe(&["forward"]), argv.to_vec()].concat(),
            Fault::Neutral(neutral) => [self.late(neutral), argv.to_vec()].concat(),
            Fault::ExecOutside if op == Op::Exec => self.probe(&words(&arguments(values)?)),
            Fault::ExecBeside(kind) if op == Op::Exec => {
                let id = values.words("id").first().map_or("", String::as_str);
                let pid = read::text(&self.root.with_file_name(format!("{id}.pid")), read::NUMBER).unwrap_or_default();
                let own = self.settings.probe.to_string_lossy();
                let program = if kind == "mnt" { &own } else { plimsoll_fixtures::probe::PATH };
                self.probe(&[&["enter", pid.trim(), kind, program], &*words(&arguments(values)?)].concat())
            }
            _ => argv.to_vec(),
        })
    }

    /// Counts a call of an operation.
    fn nth(&self, op: Op) -> u32 {
        let mut asked = self.asked.borrow_mut();
        let count = asked.entry(op).or_default();
        *count += 1;
        *count
    }

    /// Records the end of a call and says what it came to.
    ///
    /// # Errors
    /// [`Stop::Timeout`] when it was ended by its deadline.
    pub fn settle(
        &self,
        op: Op,
        command: String,
        end: &Finished,
        stdout: String,
        stderr: String,
    ) -> StepResult<Outcome> {
        self.calls.borrow_mut().push(Call {
            command,
            ended: end.ended.to_string(),
            stdout: head(&stdout).into(),
            stderr: tail(&stderr).into(),
            duration_ms: milliseconds(end.took),
        });
        if end.ended == Ended::Deadline {
            return Err(Stop::Timeout(op));
        }
        let (ended, stdout) = match self.settings.fault {
            Some(fault) => (fault.ended(op, end.ended), fault.said(op, stdout)),
            None => (end.ended, stdout),
        };
        let noisy = self.settings.fault == Some(Fault::Neutral(Neutral::Noisy));
        let stderr = if noisy { format!("{stderr}level=warning msg=\"nothing to fear\"\n") } else { stderr };
        Ok(Outcome { op, ended, stdout, stderr })
    }

    /// The deadline of a call that begins now.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.settings.timeout
    }

    /// The calls so far, for the report.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    fn argv(&self, op: Op, values: &Values) -> StepResult<Vec<OsString>> {
        let words =
            self.settings.profile.words(op, values).ok_or_else(|| {
                Stop::Skip(format!("profile `{}` has no operation `{op}`", self.settings.profile.name))
            })?;
        Ok(self.settings.command(words))
    }
}

/// The arguments of the program that exec was asked for, without its name.
fn arguments(values: &Values) -> StepResult<Vec<String>> {
    let [path, ..] = values.words("process") else {
        return Ok(values.words("args").iter().skip(1).cloned().collect());
    };
    let process: Value = serde_json::from_slice(&read::file(Path::new(path), read::DOCUMENT)?).unwrap_or_default();
    let args = process["args"].as_array().into_iter().flatten().skip(1).filter_map(Value::as_str);
    Ok(args.map(str::to_owned).collect())
}

fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// A command line with further words after the name of its operation.
fn amended(argv: &[OsString], op: Op, words: &[&str]) -> Vec<OsString> {
    let name = argv.iter().rposition(|word| *word == *op.to_string()).map_or(argv.len(), |at| at + 1);
    let (before, after) = argv.split_at(name);
    before.iter().cloned().chain(words.iter().map(OsString::from)).chain(after.iter().cloned()).collect()
}

/// A duration as reports show it.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The first 2000 characters.
fn head(text: &str) -> &str {
    text.char_indices().nth(2000).map_or(text, |(at, _)| &text[..at])
}

/// The last 2000 characters, where runtimes put what matters.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(1999).map_or(text, |(at, _)| &text[at..])
}

/// A command line that a shell reads back as these words.
#[must_use]
pub fn quote(argv: &[OsString]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.,:=+@%".contains(c);
    let words = argv.iter().map(|word| {
        let word = word.to_string_lossy();
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_command_is_read_back_by_a_shell() {
        let words = ["a b", "it's", "", "$HOME", "plain-1.0"].map(OsString::from);
        let script = format!("printf '%s\\n' {}", quote(&words));
        let out = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), "a b\nit's\n\n$HOME\nplain-1.0\n");
    }

    #[test]
    fn long_output_keeps_its_end() {
        let text = format!("{}END", "é".repeat(5000));
        assert!(tail(&text).ends_with("END"));
        assert_eq!(tail(&text).chars().count(), 2000);
        assert_eq!(head(&text).chars().count(), 2000);
    }
}
