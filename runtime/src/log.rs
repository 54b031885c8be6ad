//! Where warnings and the final error go. The error goes to standard error, and to the file of `--log`. All else goes to that file
//! where there is one: standard error may be that of the program.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Context, Result};

/// The format of the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `time="…" level=… msg="…"`
    Text,
    /// One JSON object a line, with the members `level`, `msg` and `time`.
    Json,
}

#[derive(Debug)]
struct Log {
    file: Option<File>,
    format: Format,
    debug: bool,
}

/// The level of the error that ends the runtime.
const ERROR: &str = "error";

static LOG: OnceLock<Log> = OnceLock::new();

/// Opens the log; to be called once, before anything is logged.
///
/// # Errors
/// When the file cannot be opened.
pub fn open(path: Option<&Path>, format: Format, debug: bool) -> Result<()> {
    let open = |path: &Path| {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.doing(|| format!("open the log `{}`", path.display()))
    };
    let file = path.map(open).transpose()?;
    // A second call in one process changes nothing: the first caller's choice holds.
    LOG.get_or_init(|| Log { file, format, debug });
    Ok(())
}

/// Something the user should know; the operation goes on.
pub fn warn(message: &str) {
    write("warning", message);
}

/// Why the operation failed.
pub fn error(message: &str) {
    write(ERROR, message);
}

/// What `--debug` shows.
pub fn debug(message: &str) {
    if is_debugging() {
        write("debug", message);
    }
}

/// Whether there is a log beside standard error.
pub fn has_file() -> bool {
    LOG.get().is_some_and(|log| log.file.is_some())
}

/// Whether `--debug` was given.
pub fn is_debugging() -> bool {
    LOG.get().is_some_and(|log| log.debug)
}

fn write(level: &str, message: &str) {
    let file = LOG.get().and_then(|log| log.file.as_ref().map(|file| (file, log.format)));
    // A log that cannot be written must not fail what it is about; there is nobody left to tell.
    if file.is_none() || level == ERROR {
        drop(writeln!(std::io::stderr(), "plimsoll-runtime: {level}: {message}"));
    }
    let Some((mut file, format)) = file else { return };
    let time = rfc3339(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()));
    drop(match format {
        Format::Text => writeln!(file, "time=\"{time}\" level={level} msg={message:?}"),
        Format::Json => writeln!(file, "{}", serde_json::json!({ "level": level, "msg": message, "time": time })),
    });
}

/// Seconds since 1970 as `2025-01-31T12:00:00Z`. Days become a date as in the proleptic Gregorian calendar whose years
/// begin in March, so that leap days come last.
pub fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn seconds_become_a_date() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_735_689_599), "2024-12-31T23:59:59Z");
    }
}
