//! Many containers: concurrently, running at the same time, one after the other.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use nix::unistd::Pid;
use plimsoll_engine::cgroup::find_named;
use plimsoll_engine::process::{Ended, null};
use plimsoll_engine::profile::Op;
use plimsoll_foreign::read;
use plimsoll_reports::model::bench::{Axis, Curve, Footprint, Mishap, MishapKind, Point, Soak};

use crate::clock::{milliseconds, now};
use crate::experiment::Progress;
use crate::output::{Output, pipe};
use crate::phases::{RUN, Turn};
use crate::scenario::Scenario;
use crate::site::{STAMP, STAY, Site, Sites};
use crate::statistics::summary;
use crate::subject::Subject;
use crate::watch::Watch;

/// How many at once.
pub const PARALLEL: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
/// How many live already.
pub const POPULATION: [u32; 6] = [0, 10, 50, 100, 200, 500];

/// Where and with what.
#[derive(Debug)]
pub struct ScaleTest<'g> {
    /// Who.
    pub subject: &'g Subject,
    /// With which configuration.
    pub scenario: &'g Scenario,
    /// Tells the containers from those of other subjects.
    pub tag: String,
    /// Where.
    pub place: &'g Sites<'g>,
}

impl ScaleTest<'_> {
    fn site(&self, what: &str, number: u32, program: &str) -> io::Result<Site> {
        self.place.site(&format!("{}{what}{number}", self.tag), self.scenario, program)
    }

    /// Rate and times of `run` with more and more in flight.
    ///
    /// # Errors
    /// When the host or the harness fails.
    pub fn parallel(&self, watch: &mut Watch, progress: &dyn Progress) -> io::Result<Curve> {
        let most = PARALLEL.iter().copied().max().unwrap_or(1);
        let sites: Vec<Site> = (0..most).map(|number| self.site("p", number, STAMP)).collect::<io::Result<_>>()?;
        let mut points = Vec::new();
        for at in PARALLEL {
            progress.report(&format!("{}: {at} at once", self.subject.name));
            let point = self.in_flight(&sites[..at as usize], watch)?;
            // What was cut short is no point of the curve.
            if progress.is_interrupted() {
                break;
            }
            points.push(point);
        }
        Ok(Curve { axis: Axis::Parallel, subject: self.subject.name.clone(), points })
    }

    /// As many runs at once as there are sites, the next one started as soon as one ends.
    fn in_flight(&self, sites: &[Site], watch: &mut Watch) -> io::Result<Point> {
        watch.forget()?;
        let total = sites.len() * 2 + 30;
        let mut flight: BTreeMap<Pid, (usize, Duration, Output)> = BTreeMap::new();
        let mut free: Vec<usize> = (0..sites.len()).collect();
        let (mut started, mut times, mut mishaps) = (0, Vec::new(), Vec::new());
        let began = Instant::now();
        while started < total || !flight.is_empty() {
            while let Some(at) = free.pop().filter(|_| started < total) {
                let (pid, since, output) = self.begin(&sites[at])?;
                flight.insert(pid, (at, since, output));
                started += 1;
            }
            let pids: Vec<Pid> = flight.keys().copied().collect();
            let Some((pid, ended, end)) = watch.first_of(&pids, Instant::now() + self.subject.settings.timeout)? else {
                self.abandon(&mut flight, sites, watch, &mut mishaps)?;
                break;
            };
            let Some((at, since, output)) = flight.remove(&pid) else { continue };
            free.push(at);
            match self.outcome(&sites[at], ended, output)? {
                None => times.push(milliseconds(end.saturating_sub(since))),
                Some(mishap) => {
                    mishaps.push(mishap);
                    Turn { subject: self.subject, site: &sites[at], watch: &mut *watch }.remove()?;
                }
            }
        }
        let rate = times.len() as f64 / began.elapsed().as_secs_f64();
        let summary = summary(&times, &mut Rng::with_seed(0));
        Ok(Point { at: sites.len() as u64, summary, rate, mishaps })
    }

    fn begin(&self, site: &Site) -> io::Result<(Pid, Duration, Output)> {
        let call = self.subject.call(Op::Run, site, |values| values)?;
        let call = call.ok_or_else(|| io::Error::other(format!("{} has no run", self.subject.name)))?;
        let (output, out) = pipe()?;
        let started = call.begin(&[null()?, out, null()?])?;
        Ok((started.pid, started.at, output))
    }

    /// What was wrong with a run that ended.
    fn outcome(&self, site: &Site, ended: Ended, output: Output) -> io::Result<Option<Mishap>> {
        let mishap = |kind, what: String| Some(Mishap { block: 0, phase: RUN.to_owned(), kind, what });
        if ended != Ended::Exit(0) {
            return Ok(mishap(MishapKind::Failed, ended.to_string()));
        }
        if let Some(group) = site.group_left() {
            return Ok(mishap(MishapKind::Wrong, format!("the control group {} is left", group.display())));
        }
        Ok(if output.has_stamp()? {
            None
        } else {
            mishap(MishapKind::Wrong, "the program was not executed".to_owned())
        })
    }

    /// Ends all that is in flight: none of it has ended in time.
    fn abandon(
        &self,
        flight: &mut BTreeMap<Pid, (usize, Duration, Output)>,
        sites: &[Site],
        watch: &mut Watch,
        mishaps: &mut Vec<Mishap>,
    ) -> io::Result<()> {
        while let Some((pid, (at, since, _))) = flight.pop_first() {
            watch.end_of(pid, Instant::now())?;
            let what = format!("still running after {:.0} s", now().saturating_sub(since).as_secs_f64());
            mishaps.push(Mishap { block: 0, phase: RUN.to_owned(), kind: MishapKind::Hung, what });
            Turn { subject: self.subject, site: &sites[at], watch: &mut *watch }.remove()?;
        }
        Ok(())
    }

    /// Times of `run` beside more and more containers that live.
    ///
    /// # Errors
    /// When the host or the harness fails.
    pub fn population(&self, watch: &mut Watch, progress: &dyn Progress) -> io::Result<Curve> {
        let probe = self.site("q", 0, STAMP)?;
        let mut alive: Vec<(Site, Pid, Output)> = Vec::new();
        let mut points = Vec::new();
        for at in POPULATION {
            let mut mishaps = Vec::new();
            for number in u32::try_from(alive.len()).unwrap_or(u32::MAX)..at {
                if progress.is_interrupted() {
                    break;
                }
                progress.report(&format!("{}: {number} alive", self.subject.name));
                let site = self.site("a", number, STAY)?;
                let mut turn = Turn { subject: self.subject, site: &site, watch: &mut *watch };
                let made = turn.create().and_then(|(_, pid, mut out)| turn.start(&mut out).map(|_| (pid, out)));
                match made {
                    Ok((pid, output)) => alive.push((site, pid, output)),
                    Err(error) => {
                        turn.remove()?;
                        mishaps.push(error.mishap(number)?);
                    }
                }
            }
            let point = self.beside(&probe, at, mishaps, watch)?;
            if progress.is_interrupted() {
                break;
            }
            points.push(point);
        }
        for (site, pid, _) in &alive {
            let mut turn = Turn { subject: self.subject, site, watch: &mut *watch };
            if turn.kill(*pid).and_then(|_| turn.delete()).is_err() {
                turn.remove()?;
            }
        }
        Ok(Curve { axis: Axis::Population, subject: self.subject.name.clone(), points })
    }

    fn beside(&self, probe: &Site, at: u32, mut mishaps: Vec<Mishap>, watch: &mut Watch) -> io::Result<Point> {
        let mut times = Vec::new();
        for number in 0..20 {
            match (Turn { subject: self.subject, site: probe, watch: &mut *watch }).run() {
                Ok(done) => times.extend(done.into_iter().map(|(_, time)| milliseconds(time))),
                Err(error) => mishaps.push(error.mishap(number)?),
            }
        }
        let rate = times.len() as f64 / (times.iter().sum::<f64>() / 1e3).max(f64::MIN_POSITIVE);
        let summary = summary(&times, &mut Rng::with_seed(0));
        Ok(Point { at: at.into(), summary, rate, mishaps })
    }

    /// Many lives, and what they leave behind.
    ///
    /// # Errors
    /// When the host or the harness fails.
    pub fn soak(&self, cycles: u32, watch: &mut Watch, progress: &dyn Progress) -> io::Result<Soak> {
        let site = self.site("s", 0, STAY)?;
        let mut mishaps = Vec::new();
        let before = self.footprint()?;
        let mut done = 0;
        for cycle in 0..cycles {
            progress.report(&format!("{}: cycle {cycle}", self.subject.name));
            let lived = Turn { subject: self.subject, site: &site, watch: &mut *watch }.lifecycle();
            if progress.is_interrupted() {
                break;
            }
            if let Err(error) = lived {
                mishaps.push(error.mishap(cycle)?);
            }
            done = cycle + 1;
        }
        let after = self.footprint()?;
        Ok(Soak { subject: self.subject.name.clone(), cycles: done.into(), mishaps, before, after })
    }

    fn footprint(&self) -> io::Result<Footprint> {
        let memory = read::kernel("/proc/meminfo")?;
        let value = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        Ok(Footprint {
            memory_kib: value("MemTotal:").saturating_sub(value("MemAvailable:")),
            cgroups: find_named("")?.len() as u64,
            mounts: plimsoll_engine::saved_mounts::mounts()?.len() as u64,
            state_files: entries(&self.subject.root)?,
        })
    }
}

fn entries(dir: &Path) -> io::Result<u64> {
    if !dir.is_dir() {
        return Ok(0);
    }
    fs::read_dir(dir)?.try_fold(0, |count, entry| {
        let path = entry?.path();
        Ok(count + 1 + if path.is_dir() && !path.is_symlink() { entries(&path)? } else { 0 })
    })
}
