//! The findings of a search: each property with each minimized case once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use plimsoll_engine::fuzz_case::{BrokenProperty, CaseResult};
use plimsoll_foreign::beneath;
use plimsoll_reports::model::Verdict;
use plimsoll_reports::model::fuzz::Failure as Found;
use plimsoll_suites::fuzz::input::{Input, Judge};

use super::case::{SavedCase, below, describe};
use super::expectations::{Case, KnownDeviations};
use super::milliseconds;
use super::shrink::{Minimal, Shrinker};
use crate::shared::failure::Failure;
use crate::shared::session::Session;

/// A case that was tried.
pub struct Tried<'t> {
    /// Its number; none for one of the corpus.
    pub case: Option<u64>,
    /// What the search draws from.
    pub seed: u64,
    pub input: &'t Input,
    pub result: &'t CaseResult,
}

/// Everything that was found so far.
pub struct Findings<'s> {
    session: &'s Session,
    judge: &'s Judge,
    known: &'s KnownDeviations,
    keep: &'s Path,
    started: Instant,
    pub failures: Vec<Found>,
}

impl<'s> Findings<'s> {
    pub fn new(session: &'s Session, judge: &'s Judge, known: &'s KnownDeviations, keep: &'s Path) -> Self {
        Self { session, judge, known, keep, started: Instant::now(), failures: Vec::new() }
    }

    /// Whether something is red.
    pub fn is_red(&self) -> bool {
        self.failures.iter().any(Found::is_red)
    }

    /// Takes note of a case, and makes what is new minimal. What is returned are the parts that are known to keep the rest
    /// of a bundle from being judged.
    pub fn note(&mut self, tried: &Tried<'_>) -> Result<Vec<String>, Failure> {
        let (mut in_the_way, mut shrunk) = (Vec::new(), Vec::new());
        for broken in &tried.result.broken {
            let parts = match self.recognise(tried, broken) {
                Some(parts) => parts,
                None => self.found(tried, broken, &mut shrunk)?,
            };
            in_the_way.extend(parts);
        }
        Ok(in_the_way)
    }

    /// Counts what was found before or is known. The parts that it is found in.
    fn recognise(&mut self, tried: &Tried<'_>, broken: &BrokenProperty) -> Option<Vec<String>> {
        let parts = tried.input.parts();
        let is_part = |found: &Found| found.parts.iter().all(|part| parts.contains(part));
        let same = |found: &&mut Found| found.property == broken.property && found.kind == tried.input.kind();
        if let Some(found) = self.failures.iter_mut().filter(same).find(|found| is_part(found)) {
            found.times += 1;
            return Some(found.parts.clone());
        }
        let (runtime, host) = (&self.session.runtime, &self.session.host);
        let (kind, property) = (tried.input.kind(), broken.property.as_str());
        let known = self.known.of(&Case { kind, property, parts: &parts, minimal: false }, runtime, host)?;
        let parts = known.parts.clone();
        let minimal = Minimal::of(tried.input, broken);
        let mut found = self.told(tried, broken, &minimal, Instant::now());
        found.parts.clone_from(&known.parts);
        found.description = known.parts.join(", ");
        found.known = Some(known.known);
        self.failures.push(found);
        Some(parts)
    }

    /// Makes what is new minimal, unless one of those does that this case was made before.
    fn found(
        &mut self,
        tried: &Tried<'_>,
        broken: &BrokenProperty,
        shrunk: &mut Vec<Minimal>,
    ) -> Result<Vec<String>, Failure> {
        let began = Instant::now();
        let minimal = match shrunk.iter().find_map(|minimal| minimal.as_of(&broken.property)) {
            Some(minimal) => minimal,
            None => {
                let minimal = Shrinker::new(self.session, self.judge).minimal(tried, broken)?;
                shrunk.push(minimal.clone());
                minimal
            }
        };
        let mut found = self.told(tried, broken, &minimal, began);
        let (runtime, host) = (&self.session.runtime, &self.session.host);
        let (kind, property) = (tried.input.kind(), broken.property.as_str());
        let known = self.known.of(&Case { kind, property, parts: &found.parts, minimal: true }, runtime, host);
        found.known = known.map(|known| known.known);
        if found.known.is_none() {
            self.keep(tried, &minimal, &mut found)?;
        }
        let parts = found.parts.clone();
        self.failures.push(found);
        Ok(parts)
    }

    fn told(&self, tried: &Tried<'_>, broken: &BrokenProperty, minimal: &Minimal, began: Instant) -> Found {
        let parts = minimal.input.parts();
        let release = self.session.settings().release;
        let advisory = broken.advisory || self.judge.is_advisory(&broken.property, &parts, release);
        Found {
            property: broken.property.clone(),
            kind: tried.input.kind().to_owned(),
            verdict: if advisory { Verdict::Warn } else { Verdict::Fail },
            clauses: self.judge.clauses(&broken.property),
            description: describe(&minimal.input),
            size: minimal.input.size() as u64,
            parts,
            case: tried.case,
            times: 1,
            found_ms: milliseconds(self.started) - milliseconds(began),
            shrunk_ms: milliseconds(began),
            trials: minimal.trials,
            findings: minimal.findings.clone(),
            kept: None,
            replay: String::new(),
            known: None,
        }
    }

    fn keep(&self, tried: &Tried<'_>, minimal: &Minimal, found: &mut Found) -> Result<(), Failure> {
        let dir = self.free(&found.property)?;
        let kept = SavedCase {
            description: found.description.clone(),
            property: found.property.clone(),
            clauses: found.clauses.iter().map(|clause| clause.id.clone()).collect(),
            runtime: self.session.runtime.version.raw().to_owned(),
            seed: tried.seed,
            case: tried.case,
            input: minimal.input.clone(),
        };
        kept.write(&dir)?;
        found.replay = self.session.replay(&dir);
        found.kept = Some(dir.to_string_lossy().into_owned());
        Ok(())
    }

    /// A directory that is not there yet. The name of a property comes from a process in which the runtime was called.
    fn free(&self, property: &str) -> Result<PathBuf, Failure> {
        beneath::own_directory(self.keep)
            .map_err(|why| Failure::Usage(format!("cannot save cases in {}: {why}", self.keep.display())))?;
        for number in 1_u32.. {
            let dir = below(self.keep, &format!("{property}-{number}"))?;
            if fs::symlink_metadata(&dir).is_err() {
                return Ok(dir);
            }
        }
        Err(Failure::Host(format!("no name is left for {property} in {}", self.keep.display())))
    }
}

/// Adds to a count.
pub fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}
