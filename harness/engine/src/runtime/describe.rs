//! Values as findings show them: for people, in the field's notation, and never as Rust writes them down.

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
pub trait Shown {
    /// Its text.
    fn shown(&self) -> String;
}

/// File mode bits or a umask: `0022`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Octal<T>(pub T);

impl<T: fmt::Octal> Shown for Octal<T> {
    fn shown(&self) -> String {
        format!("{:04o}", self.0)
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> String {
        (**self).shown()
    }
}

impl Shown for str {
    fn shown(&self) -> String {
        if self.is_empty() { "nothing (an empty text)".to_owned() } else { self.to_owned() }
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl Shown for bool {
    fn shown(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

impl Shown for () {
    fn shown(&self) -> String {
        "success".to_owned()
    }
}

impl Shown for OsStr {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for OsString {
    fn shown(&self) -> String {
        self.as_os_str().shown()
    }
}

macro_rules! shown_as_displayed {
    ($($kind:ty),*) => {
        $(impl Shown for $kind {
            fn shown(&self) -> String {
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

impl Shown for Path {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.as_path().shown()
    }
}

impl Shown for Duration {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Shown::shown)
    }
}

impl<T: Shown, E: Display> Shown for Result<T, E> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|why| format!("an error: {why}"), Shown::shown)
    }
}

/// An owner, `user:group`, or a device, `major:minor`.
impl<A: Shown, B: Shown> Shown for (A, B) {
    fn shown(&self) -> String {
        format!("{}:{}", self.0.shown(), self.1.shown())
    }
}

impl<A: Shown, B: Shown, C: Shown> Shown for (A, B, C) {
    fn shown(&self) -> String {
        format!("{}:{}:{}", self.0.shown(), self.1.shown(), self.2.shown())
    }
}

/// A list in one line.
fn list<T: Shown>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.shown()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

impl<T: Shown> Shown for [T] {
    fn shown(&self) -> String {
        list(self)
    }
}

impl<T: Shown, const N: usize> Shown for [T; N] {
    fn shown(&self) -> String {
        list(self)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        list(self)
    }
}

impl<T: Shown> Shown for BTreeSet<T> {
    fn shown(&self) -> String {
        list(self)
    }
}

/// Members in one line: `name=value`.
impl<K: Shown, V: Shown> Shown for BTreeMap<K, V> {
    fn shown(&self) -> String {
        list(self.iter().map(|(key, value)| format!("{}={}", key.shown(), value.shown())))
    }
}

impl Shown for Value {
    fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::String(text) => text.shown(),
            other => other.to_string(),
        }
    }
}
