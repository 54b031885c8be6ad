//! Parses results in the form in which they are written: a few members, and the checks last. Checks are parsed one by one from a window of
//! the file, so that the file is read once and never held as a whole.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use serde_json::{Deserializer, from_slice};

use super::{Document, Head, major};
use crate::model::{Check, Clause, Report};

/// How much is read at once; the window grows where a check is larger.
const STEP: u64 = 1 << 20;

/// The results in the file. Nothing when they are in another form, incomplete or of another version: who reads the
/// file in the plain way then learns what is wrong, and where.
pub(super) fn report(file: impl Read) -> Option<Report> {
    let mut window = Window { file, bytes: Vec::new(), at: 0 };
    let mut report = members(window.opening()?)?;
    let mut known = HashSet::new();
    if window.peek()? == b']' {
        window.at += 1;
    } else {
        loop {
            let mut check = window.check()?;
            check.clauses.iter_mut().for_each(|clause| share(clause, &mut known));
            report.checks.push(check);
            match window.punctuation()? {
                b',' => {}
                b']' => break,
                _ => return None,
            }
        }
    }
    (window.punctuation()? == b'}' && window.peek().is_none()).then_some(report)
}

/// What stands before the checks, which end with `[`.
fn members(opening: &[u8]) -> Option<Report> {
    let closed = [opening, b"]}"].concat();
    let head: Head = from_slice(&closed).ok()?;
    let ours = head.kind == Report::KIND && major(&head.schema) == major(Report::SCHEMA);
    if ours { from_slice(&closed).ok() } else { None }
}

/// Lets go of a clause that was seen before, in favour of the first one.
fn share(clause: &mut Arc<Clause>, known: &mut HashSet<Arc<Clause>>) {
    match known.get(clause) {
        Some(first) => *clause = Arc::clone(first),
        None => {
            known.insert(Arc::clone(clause));
        }
    }
}

/// The part of the file that is looked at. Its methods yield nothing where the file ends or is not as they need it.
struct Window<F> {
    file: F,
    bytes: Vec<u8>,
    /// What lies before is done with.
    at: usize,
}

impl<F: Read> Window<F> {
    /// All up to the bracket that opens the list of checks.
    fn opening(&mut self) -> Option<&[u8]> {
        self.more()?;
        // Within a string there would be a backslash before the second quote.
        let key = b"\"checks\":";
        self.at = self.bytes.windows(key.len()).position(|bytes| bytes == key)? + key.len();
        (self.punctuation()? == b'[').then(|| &self.bytes[..self.at])
    }

    fn check(&mut self) -> Option<Check> {
        loop {
            let mut values = Deserializer::from_slice(&self.bytes[self.at..]).into_iter();
            match values.next() {
                Some(Ok(check)) => {
                    self.at += values.byte_offset();
                    return Some(check);
                }
                Some(Err(why)) if !why.is_eof() => return None,
                Some(Err(_)) | None => self.more()?,
            }
        }
    }

    /// The next byte that is not white space, which is then done with.
    fn punctuation(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes[self.at..].iter().position(|byte| !b" \n\r\t".contains(byte)) {
                Some(blank) => {
                    self.at += blank;
                    return Some(self.bytes[self.at]);
                }
                None => self.more()?,
            }
        }
    }

    /// Moves the window on.
    fn more(&mut self) -> Option<()> {
        self.bytes.drain(..self.at);
        self.at = 0;
        #[expect(clippy::disallowed_methods, reason = "bounded: a window of the file")]
        let read = self.file.by_ref().take(STEP).read_to_end(&mut self.bytes).ok()?;
        (read > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A report of so many checks, each with a configuration and the same clause.
    fn text(checks: usize) -> String {
        let clause = json!({ "id": "a.b", "level": "MUST", "text": "", "link": "", "since": "v1.0.0" });
        let config = json!({ "process": { "args": ["\"checks\": [", "}]"] } });
        let evidence = json!({ "replay": "", "calls": [], "configs": { "bundle": config }, "kept": null });
        let check = |number: usize| {
            json!({ "id": format!("a.b/{number}"), "section": "a", "axis": "spec", "clauses": [clause], "verdict": "pass",
                "duration_ms": 1.5, "reason": "", "findings": [], "evidence": evidence, "known": null })
        };
        let report = json!({
            "schema": Report::SCHEMA, "plimsoll": "\"checks\": [", "run": "", "started_at": 1, "duration_ms": 1, "cut_short": null,
            "runtime": { "path": "", "version": "", "sha256": "", "profile": "", "spec": "" },
            "host": { "kernel": "", "machine": "", "cgroups": "", "cgroup_view": "", "lsms": [], "missing_capabilities": [] },
            "checks": (0..checks).map(check).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }

    #[test]
    fn what_we_write_is_read_whatever_its_size() {
        for checks in [0, 1, 5_000] {
            let text = text(checks);
            let read = report(text.as_bytes()).expect("it is as we write it");
            assert_eq!(read.checks.len(), checks);
            assert_eq!(read, serde_json::from_str(&text).expect("it is a report"));
        }
        assert!(text(5_000).len() as u64 > 3 * STEP);
    }

    #[test]
    fn a_clause_is_held_once() {
        let checks = report(text(2).as_bytes()).expect("it is as we write it").checks;
        assert!(Arc::ptr_eq(&checks[0].clauses[0], &checks[1].clauses[0]));
    }

    #[test]
    fn what_is_cut_off_or_in_another_form_is_left_alone() {
        let whole = text(2);
        for end in (0..whole.trim_end().len()).step_by(7) {
            assert_eq!(report(&whole.as_bytes()[..end]), None, "cut at {end}");
        }
        for (ours, other) in
            [("\"1.", "\"2."), ("\"run\"", "\"kind\": \"proof\", \"run\""), ("\"checks\": [\n", "\"checks\": [,\n")]
        {
            assert_eq!(report(whole.replacen(ours, other, 1).as_bytes()), None, "{other}");
        }
        assert_eq!(report([whole.as_bytes(), b"x"].concat().as_slice()), None);
    }
}
