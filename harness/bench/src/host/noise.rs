//! What else the machine does during a measurement: proc_stat(5), proc_loadavg(5), CPU frequencies.

use std::io;

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::{SysconfVar, sysconf};
use plimsoll_foreign::read;
use plimsoll_reports::model::bench::Noise;

/// Watches from one moment to another.
#[derive(Debug)]
pub struct Meter {
    before: Times,
    ours: f64,
    frequencies: Option<(f64, f64)>,
}

/// Seconds of all processors together, since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Times {
    busy: f64,
    idle: f64,
    stolen: f64,
}

impl Meter {
    /// Begins.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn begin() -> io::Result<Self> {
        Ok(Self { before: Times::now()?, ours: ours()?, frequencies: None })
    }

    /// Looks at the frequencies; to be called now and then.
    pub fn look(&mut self) {
        let text = read::kernel("/proc/cpuinfo").unwrap_or_default();
        for frequency in frequencies(&text) {
            let (low, high) = self.frequencies.unwrap_or((frequency, frequency));
            self.frequencies = Some((low.min(frequency), high.max(frequency)));
        }
    }

    /// What was seen.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn end(self) -> io::Result<Noise> {
        let (after, before) = (Times::now()?, self.before);
        let (busy, stolen) = (after.busy - before.busy, after.stolen - before.stolen);
        let all = (busy + stolen + after.idle - before.idle).max(f64::MIN_POSITIVE);
        let load = read::kernel("/proc/loadavg")?;
        Ok(Noise {
            stolen: stolen / all,
            others: ((busy - (ours()? - self.ours)) / all).max(0.0),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
            frequency_spread: self.frequencies.map(|(low, high)| high / low - 1.0),
        })
    }
}

/// Why a reader should doubt the figures.
#[must_use]
pub fn doubts(noise: &Noise) -> Vec<String> {
    let mut found = Vec::new();
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    if noise.stolen > 0.02 {
        found.push(format!("the hypervisor gave {} of the processor time to others", percent(noise.stolen)));
    }
    if noise.others > 0.05 {
        found.push(format!("other programs used {} of the processor time", percent(noise.others)));
    }
    if let Some(spread) = noise.frequency_spread.filter(|spread| *spread > 0.1) {
        found.push(format!("the frequency of the processors varied by {}", percent(spread)));
    }
    found
}

/// Processor time of this program and of all the children that it has waited for.
fn ours() -> io::Result<f64> {
    let mut seconds = 0.0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            seconds += time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        }
    }
    Ok(seconds)
}

impl Times {
    fn now() -> io::Result<Self> {
        let ticks = sysconf(SysconfVar::CLK_TCK)?.unwrap_or(100) as f64;
        Ok(Self::of(&read::kernel("/proc/stat")?, ticks))
    }

    /// user nice system idle iowait irq softirq steal; the guests' are in user already.
    fn of(text: &str, ticks: f64) -> Self {
        let line = text.lines().next().unwrap_or_default();
        let fields: Vec<f64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let sum = |places: &[usize]| places.iter().filter_map(|&at| fields.get(at)).sum::<f64>() / ticks;
        Self { busy: sum(&[0, 1, 2, 5, 6]), idle: sum(&[3, 4]), stolen: sum(&[7]) }
    }
}

fn frequencies(cpuinfo: &str) -> Vec<f64> {
    let values = cpuinfo.lines().filter_map(|line| line.strip_prefix("cpu MHz")?.split(':').nth(1));
    values.filter_map(|value| value.trim().parse().ok()).filter(|frequency| *frequency > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_understood() {
        let times = Times::of("cpu  10 20 30 400 50 6 4 80 9 9\ncpu0 1 1\n", 10.0);
        assert_eq!(times, Times { busy: 7.0, idle: 45.0, stolen: 8.0 });
        assert_eq!(frequencies("cpu MHz\t\t: 2596.130\nx\ncpu MHz\t\t: 0.000\n"), [2596.13]);
    }

    #[test]
    fn only_a_noisy_machine_is_doubted() {
        let quiet = Noise { stolen: 0.01, others: 0.02, load: 0.5, frequency_spread: None };
        assert_eq!(doubts(&quiet), Vec::<String>::new());
        assert_eq!(doubts(&Noise { stolen: 0.1, others: 0.5, frequency_spread: Some(0.2), ..quiet }).len(), 3);
    }
}
