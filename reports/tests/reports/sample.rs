//! A made-up run with every kind of verdict and every member of the model in use.

pub mod bench;
pub mod proof;

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_reports::model::{
    Axis, Call, Check, Clause, Evidence, Finding, Host, Known, Report, Runtime, SCHEMA, Verdict,
};
use serde_json::json;

pub fn report() -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        plimsoll: "0.1.0".to_owned(),
        run: "plimsoll-5f3a".to_owned(),
        runtime: Runtime {
            path: "/usr/sbin/runc".into(),
            version: "runc version 1.1.5".into(),
            version_hung: false,
            sha256: "8b1a9953c4611296a827abf8c47804d7e6c49c6b1e1f6b2e5a3d4c5b6a798897".to_owned(),
            profile: "runc".to_owned(),
            spec: "1.0.2".to_owned(),
        },
        host: Host {
            kernel: "6.1.0-18-amd64".to_owned(),
            machine: "x86_64".to_owned(),
            cgroups: "v1".to_owned(),
            cgroup_view: "v1".to_owned(),
            lsms: vec!["capability".to_owned(), "apparmor".to_owned()],
            missing_capabilities: vec!["CAP_SYS_BOOT".to_owned()],
            accelerator: None,
        },
        started_at: 1_753_000_000,
        duration_ms: 4180,
        cut_short: None,
        partition: None,
        command: ["run", "--runtime", "/usr/sbin/runc"].map(str::to_owned).to_vec(),
        checks: checks(),
    }
}

/// A report with these verdicts and nothing else of interest.
pub fn with_verdicts(verdicts: &[Verdict]) -> Report {
    let numbered = verdicts.iter().enumerate();
    let checks = numbered.map(|(index, verdict)| check(&format!("process.args/{index}"), *verdict)).collect();
    Report { checks, ..report() }
}

pub fn check(id: &str, verdict: Verdict) -> Check {
    Check {
        id: id.to_owned(),
        section: id.split('.').next().unwrap_or_default().to_owned(),
        axis: Axis::Spec,
        clauses: vec![],
        verdict,
        duration_ms: 21.5,
        reason: String::new(),
        findings: vec![],
        evidence: None,
        known: None,
        shared_with: Vec::new(),
    }
}

pub fn finding(what: &str, expected: &str, observed: &str) -> Finding {
    Finding { what: what.to_owned(), expected: expected.to_owned(), observed: observed.to_owned() }
}

pub fn call(command: &str, ended: &str, stderr: &str) -> Call {
    Call {
        command: command.to_owned(),
        ended: ended.to_owned(),
        stdout: "".into(),
        stderr: stderr.into(),
        duration_ms: 12.25,
    }
}

fn clause(level: &str, id: &str, text: &str) -> Arc<Clause> {
    Arc::new(Clause {
        id: id.to_owned(),
        level: level.to_owned(),
        text: text.to_owned(),
        link: format!("https://spec.example/v1.3.0/{}.md", id.split('.').next().unwrap_or_default()),
        since: "v1.0.0".to_owned(),
    })
}

fn checks() -> Vec<Check> {
    let no_pids = "no pids controller is mounted; mount cgroup v1 pids or boot with cgroup_enable=pids";
    let skipped = |id: &str, reason: &str| Check { reason: reason.to_owned(), ..check(id, Verdict::Skip) };
    vec![
        check("cgroups.cpu-shares/one", Verdict::Pass),
        skipped("cgroups.pids/limit", no_pids),
        skipped("cgroups.pids/unlimited", no_pids),
        skipped("cgroups.unified/memory-high", "the host has no cgroup v2"),
        broken_harness(),
        check("lifecycle.create.twice/same-id", Verdict::Pass),
        Check { reason: "`runc delete` did not end within 10 s".to_owned(), ..hanging() },
        readable_mask(),
        silent_option(),
        check("mounts.tmpfs/size", Verdict::Pass),
        escape(),
    ]
}

fn broken_harness() -> Check {
    let reason = "make the rootfs: copy the probe: No space left on device (os error 28)";
    Check { reason: reason.to_owned(), ..check("hooks.prestart/order", Verdict::Error) }
}

fn hanging() -> Check {
    let stderr: String = (1..=11).map(|line| format!("level=debug msg=\"waiting, round {line}\"\n")).collect();
    Check {
        clauses: vec![clause("MUST", "runtime.delete.resources", "Deleting a container undoes what create did.")],
        evidence: Some(Evidence {
            replay: "plimsoll check --runtime /usr/sbin/runc --keep lifecycle.delete/stopped".to_owned(),
            calls: vec![call("runc delete c1", "deadline", &stderr)],
            ..Evidence::default()
        }),
        ..check("lifecycle.delete/stopped", Verdict::Timeout)
    }
}

fn readable_mask() -> Check {
    let command = "runc --root /run/plimsoll-5f3a/state create --bundle /run/plimsoll-5f3a/bundle c1";
    let text = "A path that the configuration masks gives nothing to whoever reads it in the container, whether it is a \
                file or a directory.";
    Check {
        clauses: vec![
            clause("MUST", "config.linux.masked-paths.unreadable", text),
            clause("SHOULD", "runtime.errors.effects", "What cannot be applied is an error."),
        ],
        findings: vec![
            finding("reading /target", "nothing readable", "secret"),
            finding("/proc/self/mountinfo", "a mount at /target", &"22 1 0:21 / /proc rw - proc proc rw\n".repeat(20)),
            finding("listing /target", "no entry", ""),
        ],
        evidence: Some(Evidence {
            replay: "plimsoll check --runtime /usr/sbin/runc --keep linux.masked-paths/file".to_owned(),
            calls: vec![
                call(command, "exit 0", ""),
                call("runc start c1", "exit 1", "mask path \"/target\"\nfailed\n"),
            ],
            configs: BTreeMap::from([("bundle".to_owned(), json!({"linux": {"maskedPaths": ["/target"]}}).into())]),
            kept: Some("/run/plimsoll-5f3a/kept".to_owned()),
        }),
        ..check("linux.masked-paths/file", Verdict::Fail)
    }
}

fn silent_option() -> Check {
    Check {
        clauses: vec![clause("SHOULD", "config.mounts.option.ratime", "The option holds for the whole mount tree.")],
        findings: vec![
            finding("flags of /data/below", "no noatime", "rw,noatime"),
            finding("flags of /data", "no noatime", "rw,noatime"),
        ],
        ..check("mounts.options/ratime", Verdict::Warn)
    }
}

fn escape() -> Check {
    let reason = "leaks the descriptor of its state directory".to_owned();
    let link = "https://tracker.example/1".to_owned();
    Check {
        known: Some(Known { verdict: Verdict::Fail, reason, link }),
        axis: Axis::Security,
        findings: vec![finding("/proc/self/fd", "no descriptor of the host", "7 -> /run")],
        ..check("security.leaked-fd/exec", Verdict::Fail)
    }
}
