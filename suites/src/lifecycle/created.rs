//! Between create and start: the environment exists, the program does not run (`runtime.md#lifecycle`, `#create`).

use nix::time::{ClockId, clock_gettime};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_fixtures::{Config, Recipe};
use serde_json::json;

const EXIST: &[&str] = &[
    "runtime.lifecycle.resources-exist-before-start",
    "runtime.lifecycle.environment-per-config",
    "runtime.create.all-properties-applied",
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "lifecycle.create/does-not-run-the-program",
        &[
            "runtime.lifecycle.program-not-run-by-create",
            // To look for the program is not to apply the arguments: engines count on its being missed in create.
            "runtime.create.args-deferred",
            "runtime.start.runs-program",
            "runtime.state.status-created",
        ],
        &[Fault::EagerStart],
        |lab, out| {
            let container = lab.created(|r| r.log_program())?;
            // Another container's whole life gives a program that runs too early the time to show it.
            lab.stopped(|r| r)?.delete()?.ok()?;
            out.expect("what is executed when created", !runs_probe(&container.observe()?), "not the program", ());
            let before_start = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
            let hello = container.started()?;
            let log = container.bundle.hook_log()?;
            out.expect_eq("how often the program ran", log.len(), 1);
            let begun = std::time::Duration::from_nanos(hello.at);
            out.expect("when the program began", begun >= before_start.into(), "after the call of start", begun);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "lifecycle.create/namespaces-exist",
        EXIST,
        &[Fault::DropLast("/linux/namespaces"), Fault::Drop("/linux/namespaces/0")],
        |lab, out| {
            let own = Observation::of(nix::unistd::getpid()).map_err(Stop::error("look at this process"))?;
            when_created(
                lab,
                out,
                |r| r.new_namespace("network"),
                |config, seen, out| {
                    for kind in config.list("/linux/namespaces").iter().filter_map(|entry| entry["type"].as_str()) {
                        let name = in_proc(kind);
                        let (new, old) = (seen.namespace(name), own.namespace(name));
                        out.expect(&format!("{kind} namespace"), new.is_some() && new != old, "a new one", (new, old));
                    }
                },
            )
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "lifecycle.create/mounts-exist",
        EXIST,
        &[Fault::DropLast("/mounts"), Fault::Drop("/linux/maskedPaths")],
        |lab, out| {
            when_created(
                lab,
                out,
                |r| {
                    r.mount("/extra", "tmpfs", "tmpfs", &["ro"])
                        .file("/masked", "")
                        .set("/linux/maskedPaths", ["/masked"])
                },
                |config, seen, out| {
                    let mounts = config.list("/mounts").iter().filter_map(|entry| entry["destination"].as_str());
                    for point in mounts.chain(config.texts("/linux/maskedPaths")) {
                        out.expect(&format!("a mount at {point}"), seen.mount_at(point).is_some(), "there", ());
                    }
                },
            )
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "lifecycle.create/root-is-set-up",
        EXIST,
        &[Fault::Take("/root/readonly", "false"), Fault::Drop("/root/readonly")],
        |lab, out| {
            when_created(
                lab,
                out,
                |r| r.set("/root/readonly", true),
                |_, seen, out| {
                    let options = seen.mount_at("/").map(|mount| mount.options.clone()).unwrap_or_default();
                    out.expect("options of /", options.iter().any(|option| option == "ro"), "ro", options);
                },
            )
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "lifecycle.create/cgroup-exists",
        EXIST,
        &[Fault::Drop("/linux/cgroupsPath"), Fault::Take("/linux/resources/pids/limit", "18")],
        |lab, out| {
            when_created(
                lab,
                out,
                |r| r.set("/linux/resources", json!({ "pids": { "limit": 17 } })),
                |config, seen, out| {
                    let path = config.text("/linux/cgroupsPath").unwrap_or_default();
                    let group = seen.cgroup("pids");
                    out.expect(
                        "the cgroup of the process",
                        group.is_some_and(|group| group.path.contains(path)),
                        path,
                        group,
                    );
                    let limit = group.and_then(|group| group.read("pids.max").ok());
                    let limit = limit.and_then(|text| text.trim().parse::<i64>().ok());
                    out.expect_eq("pids.max", limit, config.number("/linux/resources/pids/limit"));
                },
            )
        },
    )
    .needs(&[Need::HostView, Need::Controller("pids")]),
    Scenario::new("lifecycle.create/devices-exist", EXIST, &[Fault::Drop("/linux/devices")], |lab, out| {
        let container = lab.created(|r| {
            r.push("/linux/devices", json!({ "path": "/dev/extra", "type": "c", "major": 1, "minor": 3 }))
        })?;
        let root = format!("/proc/{}/root", container.pid);
        for path in container.bundle.config.list("/linux/devices").iter().filter_map(|device| device["path"].as_str()) {
            let there = std::fs::symlink_metadata(format!("{root}{path}")).is_ok();
            out.expect(path, there, "there when created", ());
        }
        container.started()?;
        container.finish_and_delete()
    })
    .needs(&[Need::HostView]),
];

/// Judges the process of a created container by its configuration, then leads it to its end.
fn when_created(
    lab: &Lab<'_>,
    out: &mut Judgement,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
    judge: impl FnOnce(&Config, &Observation, &mut Judgement),
) -> StepResult {
    let container = lab.created(edits)?;
    judge(&container.bundle.config, &container.observe()?, out);
    container.started()?;
    container.finish_and_delete()
}

fn runs_probe(seen: &Observation) -> bool {
    seen.exe.ends_with("/probe")
}

/// The name in `/proc/PID/ns` of a namespace type.
fn in_proc(kind: &str) -> &str {
    match kind {
        "mount" => "mnt",
        "network" => "net",
        other => other,
    }
}
