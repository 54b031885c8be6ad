//! What a runtime says about itself, `--version` and `features`, asked before the first check and in the same isolation as a check:
//! nothing that is executed here is trusted.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use plimsoll_reports::model::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::guard::host_changes::HostChanges;
use crate::guard::{KernelState, undo_all};
use crate::run::workers::Workers;
use crate::runtime::profile::{Op, Values};
use crate::runtime::release::Release;
use crate::runtime::settings::Settings;
use crate::system::host_lock::Delay;
use crate::system::process::{Capture, Ended, KEPT, Running, null};

/// What a runtime said of itself, and the host as it was before that.
#[derive(Debug, Default)]
pub struct SelfReport {
    /// The first line of its version; empty when it does not answer.
    pub version: String,
    /// Whether it did not come back when it was asked for its version.
    pub version_hung: bool,
    /// Its features; null where it has none.
    pub features: Value,
    /// The host's kernel before the first call.
    pub kernel: Arc<KernelState>,
    /// What the calls changed on the host.
    pub harm: Vec<Finding>,
}

impl SelfReport {
    /// The release of the specification that it claims. One without `features` claims none.
    #[must_use]
    pub fn claimed(&self) -> Option<Release> {
        Release::claimed_in(&self.features)
    }

    /// Asks the runtime. `interrupted` is looked at while it answers.
    ///
    /// # Errors
    /// When the binary cannot be executed, when the answer takes too long, and when the user interrupts.
    pub fn of(settings: &Settings, interrupted: &dyn Fn() -> bool) -> io::Result<Self> {
        let mut host = HostChanges::new(&Arc::default());
        // What another run's runtime has changed is put back by then.
        wait_until(interrupted, || host.lock().have_alone())?;
        host.begin()?;
        host.lock().release();
        wait_until(interrupted, || host.lock().share())?;
        let mut answers = Answers::or_leave(&mut host, settings, interrupted)?;
        let mut harm = Vec::new();
        if !host.look()?.is_empty() {
            // The runtime did it, or another program.
            wait_until(interrupted, || host.lock().have_alone())?;
            host.put_back()?;
            answers = Answers::or_leave(&mut host, settings, interrupted)?;
            let again = host.look()?;
            host.blame(&again);
            harm.extend(host.stuck().iter().cloned().chain(undo_all(&again)));
            host.accept()?;
        }
        let Answers { version, version_hung, features } = answers;
        Ok(Self { version, version_hung, features, kernel: host.expected(), harm })
    }
}

/// Waits until the host is this run's to use.
fn wait_until(interrupted: &dyn Fn() -> bool, mut is_so: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let mut delay = Delay::default();
    while !is_so()? {
        if interrupted() {
            return Err(io::Error::new(io::ErrorKind::Interrupted, INTERRUPTED));
        }
        delay.wait()?;
    }
    Ok(())
}

const INTERRUPTED: &str = "interrupted before the first check";

/// What a runtime prints when it is asked.
#[derive(Serialize, Deserialize)]
struct Answers {
    version: String,
    version_hung: bool,
    features: Value,
}

impl Answers {
    /// The answers; where there are none, the host is left as it was.
    fn or_leave(host: &mut HostChanges, settings: &Settings, interrupted: &dyn Fn() -> bool) -> io::Result<Self> {
        Self::of(settings, interrupted).or_else(|why| {
            host.leave()?;
            Err(why)
        })
    }

    fn of(settings: &Settings, interrupted: &dyn Fn() -> bool) -> io::Result<Self> {
        let mut workers: Workers<()> = Workers::new(settings, settings.timeout * 3);
        workers.start((), |_| {
            let answers = ask_all(settings).map_err(|why| why.to_string());
            serde_json::to_vec(&answers).unwrap_or_default()
        })?;
        loop {
            if interrupted() {
                workers.kill_all()?;
                return Err(io::Error::new(io::ErrorKind::Interrupted, INTERRUPTED));
            }
            let Some(ended) = workers.ended()?.pop() else { continue };
            workers.clean_up(&ended)?;
            let answer = ended.output.as_deref().map(serde_json::from_slice::<Result<Self, String>>);
            return match answer {
                Some(Ok(answers)) => answers.map_err(io::Error::other),
                Some(Err(_)) | None => Err(io::Error::other("asking for its version did not come to an end")),
            };
        }
    }
}

fn ask_all(settings: &Settings) -> io::Result<Answers> {
    let (printed, ended) = ask(settings, settings.profile.version_words(&Values::default()))?;
    let version_hung = ended == Ended::Deadline;
    let version = printed.lines().next().unwrap_or_default().trim().chars().take(200).collect();
    // It may make the directory.
    let root = settings.dir.join("features");
    let features = match settings.profile.words(Op::Features, &Values::default().with("root", root.to_string_lossy())) {
        Some(words) => serde_json::from_str(&ask(settings, words)?.0).unwrap_or_default(),
        None => Value::Null,
    };
    Ok(Answers { version, version_hung, features })
}

/// What the runtime prints when it is called with these words, and how it ended; nothing when that is an error.
fn ask(settings: &Settings, words: Vec<String>) -> io::Result<(String, Ended)> {
    let argv = settings.command(words);
    let (mut stdout, out) = Capture::pipe(KEPT)?;
    let fds = vec![null()?, out, null()?];
    let running = Running::start(&argv, &settings.environment(), Path::new("/"), fds)?;
    let end = running.finish(&mut [&mut stdout], Instant::now() + settings.timeout)?;
    let text = if end.ended == Ended::Exit(0) { stdout.text() } else { String::new() };
    Ok((text, end.ended))
}
