//! `plimsoll vm`: runs a plimsoll command in virtual machines and copies its output files back.

pub mod context;
mod files;
mod matrix;
mod runner;
mod side_by_side;

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use plimsoll_foreign::beneath::Root;
use plimsoll_reports::text::printable;
use plimsoll_vm::error::Error;
use plimsoll_vm::machine::Live;
use plimsoll_vm::wire::Returned;

use crate::args::{Arguments, Command, DisplayOptions, Vm};
use crate::shared::failure::{Failure, usage_answer};
use crate::shared::output::say;
use crate::shared::session::INTERRUPTED;
use files::Files;
use matrix::wanted;
use runner::MachineRunner;

/// Runs the command in each machine that is asked for.
pub fn vm(args: &Vm, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let words = [OsString::from("plimsoll")].into_iter().chain(args.command.iter().cloned());
    let command = match Arguments::command().try_get_matches_from(words).and_then(|matches| Arguments::of(&matches)) {
        Ok(Arguments { command: Command::Vm(_), .. }) => {
            return Err(Failure::Usage("`plimsoll vm` cannot run `vm`: use another command".to_owned()));
        }
        Ok(command) => command.command,
        Err(answer) => return Ok(usage_answer(&answer)),
    };
    let machines = wanted(args)?;
    let files = Files::of(&command, args)?;
    plimsoll_engine::sys::on_interrupt(&INTERRUPTED).map_err(Failure::host)?;
    let runner = MachineRunner::prepare(args, &files, &machines[0])?;
    match (machines.as_slice(), &command) {
        ([only], _) => alone(&runner, only),
        (several, Command::Run(run)) => side_by_side::run(&runner, several, run, display),
        _ => Err(Failure::Usage("with several machines the command has to be `run`".to_owned())),
    }
}

fn alone(runner: &MachineRunner<'_>, wanted: &matrix::MachineConfig) -> Result<ExitCode, Failure> {
    let mut shown = Ok(());
    let mut screen = Screen::default();
    let mut tell = |live: Live<'_>| {
        if shown.is_ok() {
            shown = show(live, &mut screen);
        }
    };
    let completed = runner.run(wanted, &mut tell).map_err(|why| {
        tail(&why).iter().for_each(|line| say(line));
        Failure::from(why)
    })?;
    shown.map_err(Failure::host)?;
    completed.files.iter().try_for_each(|file| bring_back(file, runner.returns()))?;
    Ok(ExitCode::from(u8::try_from(completed.code).unwrap_or(2)))
}

/// The last lines of the machine's console, as far as there is one.
fn tail(why: &Error) -> Vec<String> {
    why.console().iter().map(|line| format!("  console  {line}")).collect()
}

/// Shows what the command in the machine says. The runtime is root there and may say something itself: a terminal obeys none of it.
fn show(live: Live<'_>, screen: &mut Screen) -> io::Result<()> {
    match live {
        Live::Ready => Ok(()),
        Live::Stdout(bytes) if io::stdout().is_terminal() => io::stdout().lock().write_all(&screen.stdout.clean(bytes)),
        Live::Stdout(bytes) => io::stdout().lock().write_all(bytes),
        Live::Stderr(bytes) => io::stderr().lock().write_all(&screen.stderr.clean(bytes)),
    }
}

/// What is on its way to the two streams of this process.
#[derive(Default)]
struct Screen {
    stdout: Cleaner,
    stderr: Cleaner,
}

/// Makes text printable that comes in pieces.
#[derive(Default)]
struct Cleaner {
    /// The beginning of a character whose end has not come yet.
    pending: Vec<u8>,
}

impl Cleaner {
    fn clean(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let is_begun = |count: &usize| {
            let last = self.pending.len().checked_sub(*count).map(|at| &self.pending[at..]);
            last.is_some_and(|last| {
                std::str::from_utf8(last).is_err_and(|why| why.error_len().is_none() && why.valid_up_to() == 0)
            })
        };
        let whole = self.pending.len() - (1..=3).find(is_begun).unwrap_or(0);
        let rest = self.pending.split_off(whole);
        let text = std::mem::replace(&mut self.pending, rest);
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.split('\n').map(printable).collect();
        lines.join("\n").into_bytes()
    }
}

/// Writes a file that came back, if it is one that the command was to leave: the runtime is root in the machine, and may have
/// asked for any.
fn bring_back(file: &Returned, wanted: &[PathBuf]) -> Result<(), Failure> {
    let failed = |why: String| Failure::Host(format!("cannot copy {} back: {why}", file.path.display()));
    let below = |wanted: &&PathBuf| file.path.starts_with(wanted);
    let wanted = wanted.iter().find(below).ok_or_else(|| failed("it was not asked for".to_owned()))?;
    let (Some(above), Some(name)) = (wanted.parent(), wanted.file_name()) else {
        return Err(failed("its path is not a file".to_owned()));
    };
    let rest = file.path.strip_prefix(wanted).unwrap_or(Path::new(""));
    // The place itself was named by the user, what is below it by the machine.
    let path = if rest.as_os_str().is_empty() { PathBuf::from(name) } else { Path::new(name).join(rest) };
    let write = || {
        fs::create_dir_all(above)?;
        Root::open(&fs::canonicalize(above)?)?.file(&path, &file.content()?, file.mode & 0o777)
    };
    write().map_err(|why| failed(why.to_string()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_a_machine_says() {
        let mut cleaner = Cleaner::default();
        let pieces: [&[u8]; 4] = [b"a\x1b[2J\nb\xc2", b"\x9b8m \xe2\x80", b"\xae \xff\xc3", b"\xa4\n"];
        let shown: Vec<u8> = pieces.into_iter().flat_map(|piece| cleaner.clean(piece)).collect();
        assert_eq!(String::from_utf8(shown).unwrap(), "a\\u{1b}[2J\nb\\u{9b}8m \\u{202e} \u{fffd}ä\n");
    }

    #[test]
    fn a_machine_leaves_only_what_it_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = [dir.path().join("results.json"), dir.path().join("kept")];
        let come = |path: &Path| {
            let file = Returned { path: path.into(), mode: 0o4777, bytes: Some(b"x".to_vec()) };
            bring_back(&file, &wanted)
        };
        assert!(come(&wanted[0]).is_ok() && come(&wanted[1].join("a/b")).is_ok());
        symlink("/", dir.path().join("kept/link")).unwrap();
        let outside = [
            dir.path().join("other"),
            "/etc/plimsoll-came-back".into(),
            dir.path().join("kept/../other"),
            dir.path().join("kept/../../other"),
            dir.path().join("kept/link/plimsoll-came-back"),
            dir.path().join("results.json/../other"),
            "results.json".into(),
        ];
        for path in outside {
            assert!(come(&path).is_err(), "{}", path.display());
        }
        assert!(!dir.path().join("other").exists() && !Path::new("/plimsoll-came-back").exists());
    }
}
