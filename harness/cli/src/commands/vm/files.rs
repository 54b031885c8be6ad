//! The files that a command needs in a machine and the files that it writes, from its options. Paths mean the same inside and
//! outside.

use std::env;
use std::path::{Path, PathBuf};

use crate::args::{Command, Subject, Vm};
use crate::shared::failure::Failure;
use crate::shared::output::ReportRequest;
use crate::shared::session::find_runtime;

/// The files to copy in, and those to copy out.
#[derive(Clone, Debug)]
pub struct Files {
    /// The command's words.
    pub arguments: Vec<String>,
    /// Whether it tests a runtime, and its results say how to replay it.
    pub judges: bool,
    /// The directory of the user.
    pub directory: PathBuf,
    /// The command's whole environment.
    pub variables: Vec<(String, String)>,
    /// Programs, to be packed with what they need.
    pub programs: Vec<PathBuf>,
    /// Files that are packed as they are.
    pub files: Vec<PathBuf>,
    /// What to bring back.
    pub returns: Vec<PathBuf>,
}

impl Files {
    /// What this command needs and leaves.
    pub fn of(command: &Command, args: &Vm) -> Result<Self, Failure> {
        let words = args.command.iter().map(|word| word.clone().into_string());
        let words: Result<Vec<String>, _> = words.collect();
        let mut files = Self {
            arguments: words.map_err(|word| Failure::Usage(format!("{} is not UTF-8", word.display())))?,
            judges: matches!(command, Command::Run(_) | Command::Fuzz(_)),
            directory: env::current_dir().map_err(Failure::host)?,
            variables: variables(),
            programs: Vec::new(),
            files: Vec::new(),
            returns: Vec::new(),
        };
        args.add.iter().try_for_each(|path| files.add(path))?;
        files.pack(command)?;
        Ok(files)
    }

    /// Packs what the command reads, and notes what it writes.
    fn pack(&mut self, command: &Command) -> Result<(), Failure> {
        match command {
            Command::Run(run) => {
                self.subject(&run.subject)?;
                run.expect.iter().try_for_each(|path| self.take(path))?;
                self.bring_back(&run.output)?;
                self.rendered(&run.format)?;
                run.kept().iter().try_for_each(|dir| self.bring_back(dir))?;
            }
            Command::Prove(prove) => {
                self.subject(&prove.subject)?;
                prove.baseline.iter().try_for_each(|path| self.take(path))?;
                self.bring_back(&prove.output)?;
                self.rendered(&prove.format)?;
            }
            Command::Fuzz(fuzz) => {
                self.subject(&fuzz.subject)?;
                self.runtimes(&fuzz.differential)?;
                fuzz.expect.iter().chain(&fuzz.corpus).try_for_each(|path| self.take(path))?;
                [&fuzz.output, &fuzz.keep].into_iter().try_for_each(|path| self.bring_back(path))?;
            }
            Command::Replay(replay) => {
                self.subject(&replay.subject)?;
                self.take(&replay.place)?;
            }
            // Counts carry over from a machine; times only to runs in the same one.
            Command::Bench(bench) => {
                self.runtimes(&bench.runtimes.runtime)?;
                bench.bundle.iter().chain(&bench.baseline).try_for_each(|path| self.take(path))?;
                self.bring_back(&bench.output)?;
                self.rendered(&bench.format)?;
            }
            Command::Trace(trace) => {
                self.runtimes(&trace.runtimes.runtime)?;
                self.bring_back(&trace.output)?;
                self.rendered(&trace.format)?;
            }
            Command::Report(report) => {
                report.files.iter().try_for_each(|path| self.take(path))?;
                self.rendered(&report.format)?;
            }
            // What only reads and writes files gains nothing from another kernel.
            Command::Vm(_)
            | Command::Clauses(_)
            | Command::Doctor(_)
            | Command::Clean(_)
            | Command::Corpus(_)
            | Command::Compare(_)
            | Command::Merge(_)
            | Command::Expect(_)
            | Command::Submit(_)
            | Command::VerifySubmission(_)
            | Command::Completions(_)
            | Command::Man(_)
            // It is packed in any case.
            | Command::Runtime { .. } => {}
        }
        Ok(())
    }

    fn runtimes(&mut self, named: &[PathBuf]) -> Result<(), Failure> {
        for runtime in named {
            self.programs.push(find_runtime(runtime)?);
        }
        Ok(())
    }

    fn subject(&mut self, subject: &Subject) -> Result<(), Failure> {
        self.runtimes(&subject.runtime)?;
        // A profile is a name or a file.
        let profile = Path::new(&subject.profile);
        if profile.is_file() { self.take(profile) } else { Ok(()) }
    }

    /// Packs what a user adds: programs with their libraries, directories as a whole.
    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let path = absolute(path)?;
        if path.is_dir() {
            self.files.push(path)
        } else {
            self.programs.push(path)
        }
        Ok(())
    }

    fn take(&mut self, path: &Path) -> Result<(), Failure> {
        self.files.push(absolute(path)?);
        Ok(())
    }

    /// Files that a command renders its results into.
    fn rendered(&mut self, requests: &[ReportRequest]) -> Result<(), Failure> {
        requests.iter().filter_map(|request| request.file.as_ref()).try_for_each(|file| self.bring_back(file))
    }

    fn bring_back(&mut self, path: &Path) -> Result<(), Failure> {
        self.returns.push(absolute(path)?);
        Ok(())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::usage)
}

/// The machine has nothing of the user's environment but where to look for programs.
fn variables() -> Vec<(String, String)> {
    let path = env::var("PATH").unwrap_or_else(|_| "/usr/sbin:/usr/bin:/sbin:/bin".to_owned());
    [("PATH", path.as_str()), ("HOME", "/root"), ("NO_COLOR", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
