//! Whose the files of a check are, where a user without privileges calls the runtime.

use std::fs;
use std::io::{self, Result};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use super::Lab;
use crate::runtime::caller::CallerState;
use crate::runtime::judgement::{StepResult, Stop};

impl Lab<'_> {
    /// From now on the caller of the runtime is in this state. A user gets the directory of the check.
    ///
    /// # Errors
    /// [`Stop::Skip`] when that user cannot execute the runtime.
    pub fn called_in(&self, state: CallerState) -> StepResult {
        self.driver.call_in(state);
        let Some(user) = state.user() else { return Ok(()) };
        if !is_open_to_all(&self.settings.runtime)? {
            let runtime = self.settings.runtime.display();
            return Err(Stop::Skip(format!(
                "{runtime} cannot be executed by every user: install it where everybody can reach it"
            )));
        }
        Ok(chown(&self.dir, Some(user), Some(user))?)
    }

    /// Gives a bundle or a socket to the user who calls the runtime, if that is not the user of the harness.
    pub(crate) fn give_to_caller(&self, path: &Path) -> Result<()> {
        match self.driver.user() {
            Some(user) if path.is_dir() => give_directories(path, user),
            Some(user) => chown(path, Some(user), Some(user)),
            None => Ok(()),
        }
    }
}

/// Gives a directory away, and those in it. The files stay: some are linked from elsewhere.
fn give_directories(dir: &Path, user: u32) -> Result<()> {
    chown(dir, Some(user), Some(user))?;
    let entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    let directories = entries.into_iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.path()).try_for_each(|path| give_directories(&path, user))
}

/// Whether every user may execute a file.
fn is_open_to_all(file: &Path) -> Result<bool> {
    let modes = file.ancestors().map(|path| Ok(fs::metadata(path)?.mode())).collect::<io::Result<Vec<_>>>()?;
    Ok(modes.iter().all(|mode| mode & 0o001 != 0))
}
