//! How the harness touches what others wrote: a runtime under test, a container, or whoever wrote the files of the current
//! directory. [`mod@read`] reads so much and no more, and never waits; [`beneath`] makes files that stay below a directory;
//! [`name`] says what may become the name of a file; [`trust`] says who can change a file.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests read what they wrote"))]

pub mod beneath;
pub mod name;
pub mod read;
pub mod trust;
