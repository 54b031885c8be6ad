//! The design of the experiment. In each block every subject has one turn of each kind, in random order, so that drift, and work that a
//! turn leaves to the kernel, affect all of them alike.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use fastrand::Rng;
use plimsoll_reports::model::bench::{Measured, Mishap, Phase, Ratio, Scenario};

use crate::clock::milliseconds;
use crate::noise::Meter;
use crate::phases::{PHASES, RUN, Times, Turn, TurnError, WHOLE};
use crate::scenario;
use crate::site::{STAMP, STAY, Site, Sites};
use crate::statistics::{RESOLUTION, difference, drift, excess, half_width, ratio, summary};
use crate::subject::Subject;
use crate::watch::Watch;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the order is drawn from.
    pub seed: u64,
    /// The kinds of turns in a block. The floor has no life, only `run`.
    pub kinds: Vec<Kind>,
    /// Quiet before each turn.
    pub quiet: Duration,
    /// Measuring ends when the intervals of `whole` and `run` reach no further than this share to each side.
    pub precision: f64,
    /// Or after this time.
    pub limit: Duration,
    /// Blocks ahead of those that count.
    pub warm_up: u32,
    /// The fewest blocks that count.
    pub least: u32,
    /// The most.
    pub most: u32,
}

/// After how many blocks it is first seen whether the precision is reached. A look takes time in proportion to the blocks, so
/// the next one is when there are a twentieth more.
const BETWEEN_LOOKS: u32 = 10;

/// The two kinds of turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From create to delete.
    Lifecycle,
    /// By `run`.
    Run,
}

/// The turns of a block, by the place of the subject, in random order.
#[must_use]
pub fn order(floors: &[bool], kinds: &[Kind], random: &mut Rng) -> Vec<(usize, Kind)> {
    let all = floors.iter().enumerate().flat_map(|(at, floor)| kinds.iter().map(move |kind| (at, *kind, *floor)));
    let has = all.filter(|(_, kind, floor)| *kind == Kind::Run || !floor);
    let mut turns: Vec<(usize, Kind)> = has.map(|(at, kind, _)| (at, kind)).collect();
    random.shuffle(&mut turns);
    turns
}

/// Who waits for the figures.
pub trait Progress {
    /// Is told how far it is.
    fn report(&self, text: &str);
    /// Whether it is to end early.
    fn is_interrupted(&self) -> bool;
}

/// Measures one scenario.
///
/// # Errors
/// When the host or the harness fails, never for a failure of a subject.
pub fn measure(
    plan: &Plan,
    scenario: &scenario::Scenario,
    subjects: &[Subject],
    place: &Sites<'_>,
    watch: &mut Watch,
    progress: &dyn Progress,
) -> io::Result<Scenario> {
    let sites = |at| {
        let site = |kind: &str, program| place.site(&format!("{}-{at}{kind}", scenario.name), scenario, program);
        Ok([site("l", STAY)?, site("r", STAMP)?])
    };
    let sites: Vec<[Site; 2]> = (0..subjects.len()).map(sites).collect::<io::Result<_>>()?;
    let mut random = Rng::with_seed(plan.seed);
    let floors: Vec<bool> = subjects.iter().map(|subject| subject.floor).collect();
    let mut records = vec![Record::default(); subjects.len()];
    let mut meter = Meter::begin()?;
    let began = Instant::now();
    let (mut blocks, mut settled, mut look_at) = (0, false, plan.least);
    'blocks: for block in 0.. {
        let counts = block >= plan.warm_up;
        for (at, kind) in order(&floors, &plan.kinds, &mut random) {
            watch.idle(plan.quiet)?;
            let done = turn(&subjects[at], &sites[at], kind, watch);
            // A turn that was cut short says nothing of its subject.
            if done.is_err() && progress.is_interrupted() {
                break 'blocks;
            }
            records[at].note(done, counts.then(|| block - plan.warm_up), block)?;
        }
        meter.look();
        blocks = (block + 1).saturating_sub(plan.warm_up);
        if blocks >= look_at {
            look_at = blocks + BETWEEN_LOOKS.max(blocks / 20);
            settled = records.iter().all(|record| record.is_precise(plan.precision, &mut random));
        }
        progress.report(&format!("{}: block {blocks}{}", scenario.name, if counts { "" } else { ", warming up" }));
        let enough = blocks >= plan.most || (blocks > 0 && began.elapsed() >= plan.limit);
        if settled || enough || progress.is_interrupted() || records.iter().any(Record::is_hopeless) {
            break;
        }
    }
    let noise = meter.end()?;
    let measured: Vec<Measured> =
        records.into_iter().zip(subjects).map(|(record, subject)| record.measured(subject, &mut random)).collect();
    let ratios = ratios(subjects, &measured, &mut random);
    let name = scenario.name.clone();
    Ok(Scenario { name, blocks: blocks.into(), settled, subjects: measured, ratios, noise })
}

fn turn(subject: &Subject, [life, run]: &[Site; 2], kind: Kind, watch: &mut Watch) -> Result<Times, TurnError> {
    match kind {
        Kind::Lifecycle => Turn { subject, site: life, watch }.lifecycle(),
        Kind::Run => Turn { subject, site: run, watch }.run(),
    }
}

/// What one subject did so far.
#[derive(Clone, Debug, Default)]
struct Record {
    phases: BTreeMap<&'static str, Phase>,
    mishaps: Vec<Mishap>,
    turns: usize,
}

impl Record {
    /// `counted` is the number of the block when it is one that counts. Mishaps always count.
    fn note(&mut self, done: Result<Times, TurnError>, counted: Option<u32>, block: u32) -> io::Result<()> {
        self.turns += 1;
        let (times, block) = match (done, counted) {
            (Err(error), _) => {
                self.mishaps.push(error.mishap(block)?);
                return Ok(());
            }
            (Ok(_), None) => return Ok(()),
            (Ok(times), Some(block)) => (times, block),
        };
        for (name, time) in times {
            let blank = || Phase { name: name.to_owned(), summary: None, blocks: Vec::new(), samples_ms: Vec::new() };
            let phase = self.phases.entry(name).or_insert_with(blank);
            phase.blocks.push(block);
            phase.samples_ms.push(milliseconds(time));
        }
        Ok(())
    }

    fn is_precise(&self, precision: f64, random: &mut Rng) -> bool {
        let watched = [WHOLE, RUN].iter().filter_map(|name| self.phases.get(name));
        let mut summaries = watched.filter_map(|phase| summary(&phase.samples_ms, random));
        summaries.all(|summary| half_width(&summary) <= precision)
    }

    /// Ten turns and nothing but mishaps: more would tell nothing new.
    fn is_hopeless(&self) -> bool {
        self.turns >= 10 && self.phases.is_empty() && !self.mishaps.is_empty()
    }

    fn measured(mut self, subject: &Subject, random: &mut Rng) -> Measured {
        let series = self.phases.get(WHOLE).or(self.phases.get(RUN));
        let drift = series.and_then(|phase| drift(&phase.samples_ms, random));
        let phases = PHASES.iter().filter_map(|name| self.phases.remove(name));
        let phases = phases.map(|phase| Phase { summary: summary(&phase.samples_ms, random), ..phase }).collect();
        Measured { subject: subject.name.clone(), phases, mishaps: self.mishaps, drift }
    }
}

/// Each subject against the first one, and each against the floor where that has the phase.
fn ratios(subjects: &[Subject], measured: &[Measured], random: &mut Rng) -> Vec<Ratio> {
    let floor = subjects.iter().zip(measured).find(|(subject, _)| subject.floor).map(|(_, measured)| measured);
    let mut found = Vec::new();
    for one in measured {
        let first = measured.first().filter(|_| floor.is_none_or(|floor| floor.subject != one.subject));
        for other in first.into_iter().chain(floor).filter(|other| other.subject != one.subject) {
            found.extend(one.phases.iter().filter_map(|phase| against(one, phase, other, random)));
        }
    }
    found
}

fn against(one: &Measured, phase: &Phase, other: &Measured, random: &mut Rng) -> Option<Ratio> {
    let theirs = other.phases.iter().find(|theirs| theirs.name == phase.name)?;
    let (ratio, difference_ms) = (ratio(phase, theirs, random)?, excess(phase, theirs, random)?);
    let (phase, subject, against) = (phase.name.clone(), one.subject.clone(), other.subject.clone());
    Some(Ratio { phase, subject, against, ratio, difference_ms, verdict: difference(ratio, RESOLUTION) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_its_turns_in_every_block_and_a_seed_gives_one_order() {
        let orders = |seed| {
            let mut random = Rng::with_seed(seed);
            (0..50)
                .map(|_| order(&[false, false, true], &[Kind::Lifecycle, Kind::Run], &mut random))
                .collect::<Vec<_>>()
        };
        for block in orders(3) {
            assert_eq!(block.len(), 5);
            assert_eq!(block.iter().filter(|turn| turn.1 == Kind::Lifecycle).count(), 2);
            assert!(block.contains(&(2, Kind::Run)));
        }
        assert_eq!(orders(3), orders(3));
        assert_ne!(orders(3), orders(4));
    }

    #[test]
    fn each_subject_is_first_about_as_often() {
        let mut random = Rng::with_seed(1);
        let firsts = (0..600).filter(|_| order(&[false, false], &[Kind::Run], &mut random)[0].0 == 0).count();
        assert!((250..=350).contains(&firsts), "{firsts}");
    }

    #[test]
    fn a_hundred_thousand_samples_are_little_memory() {
        let mut random = Rng::with_seed(1);
        let mut records = [Record::default(), Record::default()];
        for block in 0..50_000 {
            for record in &mut records {
                let time = Duration::from_nanos(5_000_000 + random.u64(..1_000_000));
                record.note(Ok(vec![(RUN, time)]), Some(block), block).unwrap();
            }
        }
        let phases = records.map(|mut record| record.phases.remove(RUN).unwrap());
        let whole = phases.each_ref().map(|phase| summary(&phase.samples_ms, &mut random).unwrap());
        assert!(whole.iter().all(|summary| summary.count == 50_000));
        assert!(ratio(&phases[0], &phases[1], &mut random).is_some());
        let status = plimsoll_foreign::read::kernel("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak_kib: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
        assert!(peak_kib < 100 * 1024, "{peak_kib} KiB");
    }

    #[test]
    fn a_mishap_is_never_a_time() {
        let mut record = Record::default();
        let time = Duration::from_millis(5);
        let hung = || TurnError::Subject(RUN, plimsoll_reports::model::bench::MishapKind::Hung, String::new());
        record.note(Ok(vec![(RUN, time)]), None, 0).unwrap();
        record.note(Err(hung()), Some(0), 1).unwrap();
        record.note(Ok(vec![(RUN, time)]), Some(1), 2).unwrap();
        assert_eq!(record.phases[RUN].blocks, [1]);
        assert_eq!((record.mishaps.len(), record.mishaps[0].block), (1, 1));
        assert!(!record.is_hopeless());
    }
}
