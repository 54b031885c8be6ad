//! The properties of the host that can change a time, and whether two hosts have the same.

use std::fs;
use std::path::Path;

use plimsoll_foreign::read;
use plimsoll_reports::model::bench::{Benchmark, Machine};
use sha2::{Digest, Sha256};

/// The facts, for bundles in `dir`. What the host does not tell is empty.
#[must_use]
pub fn facts(dir: &Path) -> Machine {
    let read = |path: &str| read::kernel(path).unwrap_or_default().trim().to_owned();
    let cpuinfo = read("/proc/cpuinfo");
    let value =
        |name: &str| cpuinfo.lines().find(|line| line.starts_with(name)).and_then(|line| line.split(": ").nth(1));
    let digest = Sha256::digest(read("/etc/machine-id"));
    Machine {
        id: digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect(),
        cpu: value("model name").or(value("CPU part")).unwrap_or_default().to_owned(),
        processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        virtual_machine: value("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        clock_source: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        mitigations: mitigations(),
        filesystem: filesystem(dir),
    }
}

fn mitigations() -> Vec<String> {
    let entries = fs::read_dir("/sys/devices/system/cpu/vulnerabilities").into_iter().flatten().flatten();
    let told = entries.filter_map(|entry| {
        let text = read::kernel(entry.path()).ok()?;
        (text.trim() != "Not affected").then(|| format!("{}: {}", entry.file_name().to_string_lossy(), text.trim()))
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

fn filesystem(dir: &Path) -> String {
    let mounts = plimsoll_engine::saved_mounts::mounts().unwrap_or_default();
    let on = mounts.iter().filter(|mount| dir.starts_with(&mount.point));
    on.max_by_key(|mount| mount.point.len()).map_or_else(String::new, |mount| mount.kind.clone())
}

/// Why the times of two benchmarks must not be compared; empty when they may be.
#[must_use]
pub fn obstacles(old: &Benchmark, new: &Benchmark) -> Vec<String> {
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}");
    // Older benchmarks call the turn from create to delete `life`.
    let facts = |one: &Benchmark| {
        let (machine, host, design) = (&one.machine, &one.host, &one.design);
        [
            ("machine", text(&machine.id)),
            ("processor", text(&(&machine.cpu, machine.processors))),
            ("governor", text(&machine.governor)),
            ("mitigations", text(&machine.mitigations)),
            ("clock", text(&machine.clock_source)),
            ("filesystem", text(&machine.filesystem)),
            ("kernel", text(&host.kernel)),
            ("cgroups", text(&(&host.cgroups, &host.cgroup_view))),
            ("security modules", text(&host.lsms)),
            ("emulation", text(&host.accelerator)),
            ("cadence", text(&(&design.cadence, design.quiet_ms))),
            ("turns", text(&design.turns).replace("\"life\"", "\"lifecycle\"")),
        ]
    };
    let both = facts(old).into_iter().zip(facts(new));
    let differ = both.filter(|((_, old), (_, new))| old != new);
    differ.map(|((name, old), (_, new))| format!("{name} was {old} and is {new}")).collect()
}
