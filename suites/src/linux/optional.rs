//! Members of `linux` that may be absent or empty: the container runs as any other.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

/// The program runs in its directory, with its user.
const RUNS: Rule = Rule::new(
    "linux.optional-members",
    &[
        "linux.optional-members",
        "linux.optional-members-since-1-0-2",
        "linux.optional-members-since-1-1-0",
        "runtime.create.makes-container",
    ],
    |_| vec![Ask::Cwd, Ask::Ids],
    |config, evidence, out| {
        let cwd = evidence.inside.text(&Ask::Cwd).map(String::as_str);
        out.expect_eq("current directory", cwd, Ok(config.text("/process/cwd").unwrap_or_default()));
        let uid = match evidence.inside.get(&Ask::Ids) {
            Ok(Reply::Ids(ids)) => Some(i64::from(ids.uids[0])),
            _ => None,
        };
        out.expect_eq("user", uid, config.number("/process/user/uid"));
    },
);

/// One case a row: the edits.
macro_rules! runs {
    ($($name:literal, $pointer:literal, $value:expr;)*) => {
        &[$(Case::new(&RUNS, $name, |r| r.set($pointer, $value), &[Fault::Fail(Op::Create), Fault::Take("/process/cwd", "\"/tmp\"")])),*]
    };
}

pub(super) const EMPTY: &[Case] = runs! {
    "empty-masked-paths", "/linux/maskedPaths", json!([]);
    "empty-readonly-paths", "/linux/readonlyPaths", json!([]);
    "empty-devices", "/linux/devices", json!([]);
    "empty-sysctl", "/linux/sysctl", json!({});
    "empty-resources", "/linux/resources", json!({});
    "empty-members-of-resources", "/linux/resources",
        json!({ "devices": [], "memory": {}, "cpu": {}, "blockIO": {}, "hugepageLimits": [], "network": {} });
    "empty-maps-of-ids", "/linux/uidMappings", json!([]);
    "empty-mount-label", "/linux/mountLabel", "";
};

pub(super) const SCENARIOS: &[Scenario] = &[WITHOUT_LINUX];

/// Everything of the host is shared then; the container is nothing but a program in another root directory.
const WITHOUT_LINUX: Scenario = Scenario::new(
    "linux.optional-members/linux-itself",
    &["config.optional-members", "runtime.create.makes-container"],
    &[Fault::Fail(Op::Create)],
    |lab, out| {
        let bundle = lab.bundle(|r| r.remove("/linux").remove("/mounts"))?;
        let attempt = lab.try_create(&bundle)?;
        out.expect("create", attempt.outcome.succeeded(), "success: exit 0", attempt.outcome.said());
        let done = match attempt.container() {
            Ok(container) => container.delete_by_force().and_then(|outcome| outcome.ok()),
            Err(_) => Ok(()),
        };
        crate::namespaces::unmount_below(lab)?;
        done
    },
);
