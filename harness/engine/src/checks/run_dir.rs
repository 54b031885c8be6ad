//! The directory of the run, which all checks share. A runtime that removes or fills it makes the harness fail.

use nix::errno::Errno;
use nix::sys::statvfs::statvfs;
use plimsoll_reports::model::{Check, Finding, Verdict};

use crate::runtime::settings::Settings;

/// Less than this is no room for a bundle, in bytes.
const ROOM: u64 = 1 << 20;

/// Makes a failure of the harness one of the runtime where that is why: nobody else writes in that directory.
pub(crate) fn blame(result: &mut Check, settings: &Settings) {
    if result.verdict != Verdict::Error {
        return;
    }
    let Some(observed) = removed(settings).or_else(|| full(settings, &result.reason)) else { return };
    result.findings.push(Finding {
        what: "directory of the run".to_owned(),
        expected: "as the harness made it, with room for containers".to_owned(),
        observed,
    });
    result.verdict = Verdict::Fail;
    result.reason = format!("the check could not continue: {}", result.reason);
}

fn removed(settings: &Settings) -> Option<String> {
    (!settings.probe.exists()).then(|| format!("gone: {}", settings.probe.display()))
}

/// Whether it is full, or was when the harness (`reason` is its own word) wanted to write.
fn full(settings: &Settings, reason: &str) -> Option<String> {
    let status = statvfs(&settings.dir).ok()?;
    let (free, size) = (status.blocks_available() * status.fragment_size(), status.blocks() * status.fragment_size());
    let was_full = reason.contains(&std::io::Error::from(Errno::ENOSPC).to_string());
    (free < ROOM || was_full).then(|| format!("full: the runtime has filled its {} MiB", size >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_device_is_told_by_our_own_error() {
        assert_eq!(std::io::Error::from(Errno::ENOSPC).to_string(), "No space left on device (os error 28)");
    }
}
