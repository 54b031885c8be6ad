//! A made-up benchmark with every member of the model in use.

use plimsoll_reports::model::bench::{
    Axis, Benchmark, Cost, Curve, Design, Difference, Footprint, Interval, KIND, Machine, Measured, Mishap, MishapKind,
    Noise, Operation, Phase, Point, Ratio, SCHEMA, Scenario, Soak, Span, Step, Subject, Summary, Trace,
};

use super::report;

pub fn bench() -> Benchmark {
    let report = report();
    let subject = |name: &str, floor| Subject { name: name.to_owned(), runtime: report.runtime.clone(), floor };
    Benchmark {
        schema: SCHEMA.to_owned(),
        kind: KIND.to_owned(),
        plimsoll: report.plimsoll.clone(),
        run: report.run.clone(),
        host: report.host.clone(),
        machine: machine(),
        design: design(),
        started_at: report.started_at,
        duration_ms: 61_500,
        cut_short: None,
        subjects: vec![subject("runc", false), subject("evil \u{1b}[2J<b>", false), subject("floor", true)],
        scenarios: vec![scenario()],
        costs: vec![cost()],
        curves: vec![curve(Axis::Parallel, &[1, 8]), curve(Axis::Population, &[0, 500])],
        soaks: vec![soak()],
        traces: vec![trace("runc", 0.0), trace("crun", 1.5)],
        warnings: vec!["default: other programs used 12 % of the processor time".to_owned()],
    }
}

fn machine() -> Machine {
    Machine {
        id: "0a1b2c3d4e5f".to_owned(),
        cpu: "Some Processor 3000".to_owned(),
        processors: 8,
        governor: "performance".to_owned(),
        virtual_machine: true,
        clock_source: "tsc".to_owned(),
        mitigations: vec!["spectre_v2: Mitigation: Retpolines".to_owned()],
        filesystem: "tmpfs".to_owned(),
    }
}

fn design() -> Design {
    Design {
        seed: 42,
        cadence: "cold".to_owned(),
        turns: ["lifecycle", "run"].map(str::to_owned).to_vec(),
        quiet_ms: 100,
        precision: 0.02,
        limit_s: 60,
        warm_up_blocks: 3,
        against: "runc".to_owned(),
    }
}

fn summary(median: f64) -> Summary {
    Summary {
        count: 3,
        median_ms: median,
        low_ms: median * 0.95,
        high_ms: median * 1.05,
        p90_ms: median * 1.25,
        p99_ms: median * 1.5,
        min_ms: median * 0.75,
        max_ms: median * 1.5,
        mad_ms: 0.25,
        outliers: 1,
    }
}

fn phase(name: &str, median: f64) -> Phase {
    let samples_ms = vec![median * 0.75, median, median * 1.5];
    Phase { name: name.to_owned(), summary: Some(summary(median)), blocks: vec![0, 1, 3], samples_ms }
}

fn measured(subject: &str, slow: f64, phases: &[&str]) -> Measured {
    let phases = phases.iter().map(|name| phase(name, slow)).collect();
    let drift = Some(Interval { value: 1.0, low: 0.9, high: 1.1 });
    Measured { subject: subject.to_owned(), phases, mishaps: Vec::new(), drift }
}

fn mishap() -> Mishap {
    Mishap { block: 2, phase: "run".to_owned(), kind: MishapKind::Hung, what: "said \u{1b}[2J<b>".to_owned() }
}

fn scenario() -> Scenario {
    let runtime = ["create", "start", "kill-to-exit", "delete", "whole", "run"];
    let ratio = |subject: &str, against: &str, value, verdict| Ratio {
        phase: "run".to_owned(),
        subject: subject.to_owned(),
        against: against.to_owned(),
        ratio: Interval { value, low: value * 0.9, high: value * 1.1 },
        difference_ms: Interval { value: value - 1.0, low: value - 2.0, high: value },
        verdict,
    };
    let evil = Measured { mishaps: vec![mishap()], ..measured("evil \u{1b}[2J<b>", 12.5, &runtime) };
    Scenario {
        name: "default".to_owned(),
        blocks: 4,
        settled: false,
        subjects: vec![measured("runc", 25.0, &runtime), evil, measured("floor", 2.5, &["run"])],
        ratios: vec![
            ratio("runc", "floor", 10.0, Difference::Slower),
            ratio("evil \u{1b}[2J<b>", "runc", 0.5, Difference::Faster),
            ratio("floor", "runc", 0.98, Difference::Inconclusive),
        ],
        noise: Noise { stolen: 0.0, others: 0.12, load: 1.5, frequency_spread: Some(0.01) },
    }
}

fn cost() -> Cost {
    let operation = |name: &str| Operation {
        name: name.to_owned(),
        peak_kib: 12_288,
        user_ms: 1.5,
        system_ms: 7.25,
        page_faults: 2100,
        system_calls: 898,
        tasks: 3,
    };
    Cost {
        subject: "runc".to_owned(),
        scenario: "default".to_owned(),
        operations: vec![operation("create"), operation("delete")],
        processes: 1.0,
        pss_kib: 8.5,
        cgroup_kib: Some(640.0),
        smallest_limit_kib: Some(512),
    }
}

fn curve(axis: Axis, at: &[u32]) -> Curve {
    let point = |&at: &u32| Point {
        at: at.into(),
        summary: Some(summary(f64::from(at) + 20.0)),
        rate: 50.0,
        mishaps: vec![mishap()],
    };
    Curve { axis, subject: "runc".to_owned(), points: at.iter().map(point).collect() }
}

fn soak() -> Soak {
    let footprint =
        |grown: u64| Footprint { memory_kib: 1000 + grown, cgroups: 20, mounts: 30 + grown, state_files: 0 };
    let (before, after) = (footprint(0), footprint(7));
    Soak { subject: "runc".to_owned(), cycles: 1000, mishaps: vec![mishap()], before, after }
}

fn trace(subject: &str, later: f64) -> Trace {
    let step = |name: &str, share: f64| Step {
        name: name.to_owned(),
        ms: share * 20.0,
        share,
        system_calls: 7,
        foremost: vec!["clone3 0.5 ms".to_owned()],
    };
    let span = |step: &str, task, at_ms| Span { task, step: step.to_owned(), at_ms: at_ms + later, ms: 2.5 };
    Trace {
        subject: subject.to_owned(),
        operation: "create".to_owned(),
        total_ms: 20.0,
        system_calls: 14,
        steps: vec![step("namespaces", 0.25), step("mounts", 0.75)],
        spans: vec![span("namespaces", 0, 0.0), span("mounts", 1, 3.0)],
    }
}
