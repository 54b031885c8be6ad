//! Neutral variations of a runtime, which are not faults: no verdict may change.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Answer, Ask, Refused};
use serde_json::{Value, json};

use super::equivalent::{add_filesystems, name_by_id, reorder, spell_out};
use crate::runtime::profile::Values;

/// What makes no runtime wrong, and must change no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Neutral {
    /// A program in front of it forwards each call.
    Forwards,
    /// It reads the members of each object in reverse order.
    Reordered,
    /// It reads the defaults of absent members spelled out.
    Explicit,
    /// It warns of something on standard error.
    Noisy,
    /// Each call takes a moment longer.
    Slow,
    /// Each call takes longer than anybody would like.
    Sluggish,
    /// It takes the path of a bundle without the symbolic links in it.
    Resolving,
    /// What is denied in its containers fails with another error number.
    OtherErrors,
    /// A container without a host name of its own is named by its id.
    Named,
    /// The default filesystems are there, whether or not they were asked for.
    Filesystems,
    /// It refuses with an error what a runtime need not support.
    Choosy,
}

impl Neutral {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Forwards,
        Self::Reordered,
        Self::Explicit,
        Self::Noisy,
        Self::Slow,
        Self::Sluggish,
        Self::Resolving,
        Self::OtherErrors,
        Self::Named,
        Self::Filesystems,
        Self::Choosy,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forwards => "forwards",
            Self::Reordered => "members-reordered",
            Self::Explicit => "defaults-explicit",
            Self::Noisy => "noisy",
            Self::Slow => "slow",
            Self::Sluggish => "sluggish",
            Self::Resolving => "bundle-resolved",
            Self::OtherErrors => "other-error-numbers",
            Self::Named => "named-by-id",
            Self::Filesystems => "default-filesystems",
            Self::Choosy => "choosy",
        }
    }

    /// How much longer a call takes behind it.
    #[must_use]
    pub fn delay(self) -> Option<Duration> {
        match self {
            // As long again as a quick runtime takes.
            Self::Slow => Some(Duration::from_millis(20)),
            Self::Sluggish => Some(Duration::from_millis(1500)),
            _ => None,
        }
    }

    /// The values of a call from directory `dir`, as the runtime gets them.
    pub(crate) fn heard(self, dir: &Path, values: Values) -> Values {
        let path = values.words("bundle").first().filter(|_| self == Self::Resolving);
        let resolved = path.and_then(|path| dir.join(path).canonicalize().ok());
        resolved.map_or(values.clone(), |path| values.with("bundle", path.to_string_lossy()))
    }

    /// Changes the configuration into the one that the runtime gets to read.
    pub(super) fn config(self, config: &mut Config) {
        match self {
            Self::Reordered => reorder(&mut config.0),
            Self::Explicit => spell_out(&mut config.0),
            Self::Named => name_by_id(config),
            Self::Filesystems => add_filesystems(config),
            Self::Forwards
            | Self::Noisy
            | Self::Slow
            | Self::Sluggish
            | Self::Resolving
            | Self::OtherErrors
            | Self::Choosy => {}
        }
    }

    /// Its features as the harness sees them: what it refuses it does not list.
    pub(super) fn features(self, stdout: String) -> String {
        let Ok(mut document) = serde_json::from_str::<Value>(&stdout) else { return stdout };
        if self != Self::Choosy {
            return stdout;
        }
        let without = [
            ("/linux/seccomp/actions", json!(["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"])),
            ("/linux/seccomp/supportedFlags", json!([])),
            ("/linux/mountExtensions/idmap/enabled", json!(false)),
            ("/linux/memoryPolicy", json!({ "modes": [], "flags": [] })),
        ];
        for (pointer, value) in without {
            if let Some(member) = document.pointer_mut(pointer) {
                *member = value;
            }
        }
        if let Some(options) = document.pointer_mut("/mountOptions").and_then(Value::as_array_mut) {
            options.retain(|option| option != "idmap" && option != "ridmap");
        }
        document.to_string()
    }

    /// An answer from inside as the harness sees it.
    pub(crate) fn answer(self, ask: &Ask, answer: Answer) -> Answer {
        // What a call comes to under a filter is configured, the error number included.
        if self != Self::OtherErrors || matches!(ask, Ask::Syscall { .. }) {
            return answer;
        }
        answer.map_err(|refused| Refused { errno: another(refused.errno), ..refused })
    }
}

impl fmt::Display for Neutral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forwards => "is called through a program that forwards",
            Self::Reordered => "reads the members of each object in reverse order",
            Self::Explicit => "reads the defaults of absent members spelled out",
            Self::Noisy => "warns on standard error at each call",
            Self::Slow => "takes a moment longer for each call",
            Self::Sluggish => "takes a second and a half longer for each call",
            Self::Resolving => "resolves the symbolic links in the path of a bundle",
            Self::OtherErrors => "denies with another error number",
            Self::Named => "names a container by its id where no host name is configured",
            Self::Filesystems => "mounts the default filesystems without being asked",
            Self::Choosy => "refuses what it need not support",
        })
    }
}

/// An error number that says as much.
fn another(errno: i32) -> i32 {
    match errno {
        libc::EPERM => libc::EACCES,
        libc::EACCES | libc::EROFS | libc::ELOOP => libc::EPERM,
        libc::ENOSPC => libc::EIO,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_them_knows_a_bundle_by_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink("real", link).unwrap();
        let real = real.canonicalize().unwrap();
        let heard = |neutral: Neutral, path: &str| {
            neutral.heard(dir.path(), Values::default().with("bundle", path)).words("bundle").concat()
        };
        assert_eq!(heard(Neutral::Resolving, "link"), real.to_string_lossy());
        assert_eq!(heard(Neutral::Slow, "link"), "link");
        assert_eq!(heard(Neutral::Resolving, "none"), "none");
    }

    #[test]
    fn only_what_is_denied_gets_another_number() {
        let ask = Ask::Read("/x".into());
        let heard = |errno| Neutral::OtherErrors.answer(&ask, Err(Refused { errno, call: "open".into() })).unwrap_err();
        assert!(heard(libc::EROFS).is_denial() && heard(libc::EROFS).errno != libc::EROFS);
        assert_eq!(heard(libc::ENOENT).errno, libc::ENOENT);
    }
}
