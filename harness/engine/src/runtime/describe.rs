//! Values as text for findings, in the notation of the field and not as Rust prints them.

mod ask;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_fixtures::probe::Refused;
use serde_json::Value;

use crate::runtime::release::Release;
use crate::system::process::Ended;

/// A value that a finding may show.
pub trait Describe {
    /// Its text.
    fn describe(&self) -> String;
}

/// File mode bits or a umask: `0022`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octal<T>(pub T);

impl<T: fmt::Octal> Describe for Octal<T> {
    fn describe(&self) -> String {
        format!("{:04o}", self.0)
    }
}

impl<T: Describe + ?Sized> Describe for &T {
    fn describe(&self) -> String {
        (**self).describe()
    }
}

impl Describe for str {
    fn describe(&self) -> String {
        if self.is_empty() { "nothing (an empty text)".to_owned() } else { self.to_owned() }
    }
}

impl Describe for String {
    fn describe(&self) -> String {
        self.as_str().describe()
    }
}

impl Describe for bool {
    fn describe(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

impl Describe for () {
    fn describe(&self) -> String {
        "success".to_owned()
    }
}

impl Describe for OsStr {
    fn describe(&self) -> String {
        self.display().to_string()
    }
}

impl Describe for OsString {
    fn describe(&self) -> String {
        self.as_os_str().describe()
    }
}

macro_rules! shown_as_displayed {
    ($($kind:ty),*) => {
        $(impl Describe for $kind {
            fn describe(&self) -> String {
                self.to_string()
            }
        })*
    };
}

shown_as_displayed!(
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize,
    f64,
    std::io::Error,
    nix::Error,
    Ended,
    Release,
    Refused
);

impl Describe for Path {
    fn describe(&self) -> String {
        self.display().to_string()
    }
}

impl Describe for PathBuf {
    fn describe(&self) -> String {
        self.as_path().describe()
    }
}

impl Describe for Duration {
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Describe> Describe for Option<T> {
    fn describe(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Describe::describe)
    }
}

impl<T: Describe, E: Display> Describe for Result<T, E> {
    fn describe(&self) -> String {
        self.as_ref().map_or_else(|why| format!("an error: {why}"), Describe::describe)
    }
}

/// An owner, `user:group`, or a device, `major:minor`.
impl<A: Describe, B: Describe> Describe for (A, B) {
    fn describe(&self) -> String {
        format!("{}:{}", self.0.describe(), self.1.describe())
    }
}

impl<A: Describe, B: Describe, C: Describe> Describe for (A, B, C) {
    fn describe(&self) -> String {
        format!("{}:{}:{}", self.0.describe(), self.1.describe(), self.2.describe())
    }
}

/// A list in one line.
fn list<T: Describe>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.describe()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

impl<T: Describe> Describe for [T] {
    fn describe(&self) -> String {
        list(self)
    }
}

impl<T: Describe, const N: usize> Describe for [T; N] {
    fn describe(&self) -> String {
        list(self)
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn describe(&self) -> String {
        list(self)
    }
}

impl<T: Describe> Describe for BTreeSet<T> {
    fn describe(&self) -> String {
        list(self)
    }
}

/// Members in one line: `name=value`.
impl<K: Describe, V: Describe> Describe for BTreeMap<K, V> {
    fn describe(&self) -> String {
        list(self.iter().map(|(key, value)| format!("{}={}", key.describe(), value.describe())))
    }
}

impl Describe for Value {
    fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::String(text) => text.describe(),
            other => other.to_string(),
        }
    }
}
