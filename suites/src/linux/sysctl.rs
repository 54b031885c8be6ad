//! `linux.sysctl`: kernel parameters, only in the namespaces of the container.

use std::fs;

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_foreign::read;
use serde_json::{Map, Value, json};

const SYSCTL: &str = "/linux/sysctl";

/// Each parameter has its value inside, and the host's is not touched.
const APPLIED: Rule = Rule::new(
    "linux.sysctl",
    &["linux.sysctl.applied"],
    |config| settings(config).map(|(name, _)| Ask::Read(path(&name))).collect(),
    |config, evidence, out| {
        for (name, wanted) in settings(config) {
            let read = evidence.inside.read(&path(&name)).map(|bytes| words(&String::from_utf8_lossy(bytes)));
            out.expect_eq(&name, read, Ok(words(&wanted)));
        }
    },
);

fn settings(config: &Config) -> impl Iterator<Item = (String, String)> {
    let all = config.get(SYSCTL).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    all.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

/// The kernel separates numbers by tabs.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A new network namespace starts with the host's settings of this kind, so only the other value shows anything.
fn other_than(of_the_host: &str) -> &'static str {
    let now = read::kernel(path(of_the_host)).unwrap_or_default();
    if now.trim() == "1" { "0" } else { "1" }
}

/// One case a row: edits, name, value.
macro_rules! applied {
    ($($case:literal, $edits:expr, $name:literal, $value:expr;)*) => {
        &[$(Case::new(&APPLIED, $case, |r| r.also($edits).set(SYSCTL, json!({ $name: $value })), &[Fault::Drop(SYSCTL)])),*]
    };
}

pub(super) const CASES: &[Case] = applied! {
    "message-size", |r| r, "kernel.msgmax", "4242";
    "shared-memory", |r| r, "kernel.shmmni", "1234";
    "semaphores", |r| r, "kernel.sem", "250 32000 100 77";
    "posix-queues", |r| r, "fs.mqueue.msg_max", "7";
    "domain-name", |r| r, "kernel.domainname", "plimsoll.example";
    "forwarding", |r| r.new_namespace("network"), "net.ipv4.ip_forward",
        other_than("net.ipv4.ip_forward");
    "time-to-live", |r| r.new_namespace("network"), "net.ipv4.ip_default_ttl", "33";
    "backlog", |r| r.new_namespace("network"), "net.core.somaxconn", "77";
    "ports", |r| r.new_namespace("network"), "net.ipv4.ip_local_port_range", "20000 30000";
    "of-an-interface", |r| r.new_namespace("network"), "net.ipv4.conf.lo.forwarding",
        other_than("net.ipv4.conf.default.forwarding");
    "in-a-user-namespace", crate::namespaces::usual_user, "net.ipv4.ip_forward",
        other_than("net.ipv4.ip_forward");
    "under-read-only-proc", |r| r.set("/linux/readonlyPaths", ["/proc/sys"]), "kernel.msgmax", "4242";
};

pub(super) const SCENARIOS: &[Scenario] = &[SEVERAL, HOST_KEPT, NUMBER];

const SEVERAL: Scenario = Scenario::new(
    "linux.sysctl/several",
    &["linux.sysctl.applied"],
    &[Fault::Drop("/linux/sysctl/kernel.msgmax"), Fault::Drop("/linux/sysctl/net.ipv4.ip_default_ttl")],
    |lab, out| {
        let settings = json!({ "kernel.msgmax": "4242", "kernel.shmmni": "99", "net.ipv4.ip_default_ttl": "33" });
        let container = lab.running(|r| r.new_namespace("network").set(SYSCTL, settings))?;
        let evidence = container.evidence((APPLIED.asks)(&container.bundle.config))?;
        (APPLIED.judge)(&container.bundle.config, &evidence, out);
        container.finish_and_delete()
    },
);

/// The guard watches some of these; here they are compared while the container runs.
const HOST_KEPT: Scenario =
    Scenario::new("linux.sysctl/host-kept", &["linux.sysctl.applied"], &[Fault::Drop(SYSCTL)], |lab, out| {
        let names = ["kernel.msgmax", "kernel.shmmni", "fs.mqueue.msg_max"];
        let read = || names.map(|name| read::kernel(path(name)).map_err(|why| why.kind()));
        let before = read();
        let settings = json!({ "kernel.msgmax": "4242", "kernel.shmmni": "99", "fs.mqueue.msg_max": "7" });
        let container = lab.running(|r| r.set(SYSCTL, settings))?;
        let evidence = container.evidence((APPLIED.asks)(&container.bundle.config))?;
        (APPLIED.judge)(&container.bundle.config, &evidence, out);
        out.expect_eq("values of the host", read(), before);
        container.finish_and_delete()
    })
    .needs(&[plimsoll_engine::need::Need::HostView]);

/// One scenario a row: a parameter that does not exist or cannot have this value.
macro_rules! refused {
    ($($id:literal, $name:literal, $value:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.sysctl.invalid/", $id),
            &["config.values.invalid-error"],
            &[Fault::Drop(SYSCTL)],
            |lab, out| {
                let good = json!({ "kernel.msgmax": "4242", "net.ipv4.ip_default_ttl": "33" });
                lab.refuses(
                    out,
                    |r| r.new_namespace("network").set(SYSCTL, &good),
                    |r| r.set(SYSCTL, json!({ $name: $value })),
                )
            },
        )),*]
    };
}

pub(super) const INVALID: &[Scenario] = refused! {
    "unknown", "kernel.plimsoll", "1";
    "unknown-in-a-namespace", "net.ipv4.plimsoll", "1";
    "value", "kernel.msgmax", "plimsoll";
    "value-out-of-range", "net.ipv4.ip_default_ttl", "4242";
    "empty-name", "", "1";
    "directory", "net.ipv4", "1";
};

/// The value is a string; a number is invalid.
const NUMBER: Scenario = Scenario::new(
    "linux.sysctl.invalid/number",
    &["config.values.invalid-error"],
    &[Fault::Drop(SYSCTL)],
    |lab, out| lab.refuses(out, |r| r, |r| r.set(SYSCTL, json!({ "kernel.msgmax": 4242 }))),
);

/// One scenario a row: a parameter that belongs to the host in this configuration. Its name in the configuration, its
/// file on the host.
macro_rules! of_the_host {
    ($($id:literal, $edits:expr, $name:literal, $file:literal;)*) => {
        &[$(Scenario::new(
            concat!("linux.sysctl.of-the-host/", $id),
            &["linux.sysctl.applied", "config.values.unsupported-error"],
            &[Fault::Succeed(plimsoll_engine::profile::Op::Create), Fault::Drop(SYSCTL)],
            |lab, out| keeps(lab, out, $edits, $name, $file),
        ).needs(&[plimsoll_engine::need::Need::HostView])),*]
    };
}

pub(super) const OF_THE_HOST: &[Scenario] = of_the_host! {
    "without-namespaces", |r| r, "kernel.printk_ratelimit_burst", "kernel/printk_ratelimit_burst";
    "network-not-listed", |r| r, "net.ipv4.ip_default_ttl", "net/ipv4/ip_default_ttl";
    "ipc-not-listed", |r| r.inherit_namespace("ipc"), "kernel.msgmni", "kernel/msgmni";
    "up-from-a-namespace", |r| r.new_namespace("network"), "net/../kernel/printk_ratelimit_burst",
        "kernel/printk_ratelimit_burst";
    "up-by-dots", |r| r.new_namespace("network"), "net....kernel.printk_ratelimit_burst",
        "kernel/printk_ratelimit_burst";
};

/// The value of the host plus one is asked for. It must not change, and the runtime must not say that it did its work.
fn keeps(
    lab: &Lab<'_>,
    out: &mut Judgement,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
    name: &str,
    file: &str,
) -> StepResult {
    let file = format!("/proc/sys/{file}");
    let before = read::kernel(&file)?;
    let other = before.trim().parse::<i64>().unwrap_or(0) + 1;
    let refused = lab.refused(out, |r| edits(r).set(SYSCTL, json!({ name: other.to_string() })));
    let after = read::kernel(&file)?;
    if after != before {
        fs::write(&file, &before)?;
    }
    out.expect_eq("value of the host", after, before);
    refused
}
