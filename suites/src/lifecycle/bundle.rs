//! The bundle argument of create, and the current directory of the caller (`runtime.md#state`, `runtime.md#create`).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::Bundle;

use crate::refusal;

const CITES: &[&str] =
    &["runtime.state.bundle-present", "runtime.state.bundle-absolute", "config.root.path-relative-form"];
const PROVES: &[Fault] =
    &[Fault::Lie("/bundle", "\".\""), Fault::Lie("/bundle", "\"/\""), Fault::Take("/root/path", "\"/rootfs\"")];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lifecycle.bundle/absolute", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        named(lab, out, &bundle, Path::new("/"), &bundle.dir.to_string_lossy())
    }),
    Scenario::new("lifecycle.bundle/relative", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        named(lab, out, &bundle, &lab.dir, &format!("./{}", bundle.id))
    }),
    Scenario::new("lifecycle.bundle/relative-upwards", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        named(lab, out, &bundle, &bundle.rootfs(), "..")
    }),
    Scenario::new("lifecycle.bundle/current-directory", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        named(lab, out, &bundle, &bundle.dir, ".")
    }),
    Scenario::new("lifecycle.bundle/trailing-slash", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        named(lab, out, &bundle, Path::new("/"), &format!("{}//", bundle.dir.display()))
    }),
    Scenario::new("lifecycle.bundle/symbolic-link", CITES, PROVES, |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        symlink(&bundle.id, lab.dir.join("link"))?;
        named(lab, out, &bundle, &lab.dir, "link")
    }),
    Scenario::new("lifecycle.bundle/odd-name", CITES, PROVES, |lab, out| {
        let mut bundle = lab.bundle(|r| r)?;
        let odd = lab.dir.join("a b\u{e9}'\"%$");
        fs::rename(&bundle.dir, &odd)?;
        bundle.dir = odd;
        named(lab, out, &bundle, Path::new("/"), &bundle.dir.to_string_lossy())
    }),
    Scenario::new(
        "lifecycle.bundle/other-caller-directory",
        &["runtime.scope.creator-can-operate", "runtime.operations.supported"],
        &[Fault::Ignore(Op::Start), Fault::Ignore(Op::Delete)],
        |lab, out| {
            let container = lab.created(|r| r)?;
            let from = |dir: &str, op| {
                let values = Values::default().with("id", container.id());
                lab.driver.call(op, &values, Path::new(dir))
            };
            from("/", Op::Start)?.ok()?;
            container.greeted()?;
            out.expect("state from elsewhere", from("/proc", Op::State)?.succeeded(), "success", ());
            container.finish()?;
            from("/dev", Op::Delete)?.ok()?;
            container.query_state()?.refused()
        },
    ),
    Scenario::new("lifecycle.bundle/empty-directory", NO_BUNDLE, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        fs::create_dir(lab.dir.join("empty"))?;
        refused(lab, out, &bundle, "empty")
    }),
    Scenario::new("lifecycle.bundle/no-such-directory", NO_BUNDLE, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        refused(lab, out, &bundle, "nothing")
    }),
    Scenario::new("lifecycle.bundle/regular-file", NO_BUNDLE, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        refused(lab, out, &bundle, &format!("{}/config.json", bundle.id))
    }),
    Scenario::new("lifecycle.bundle/config-of-another-name", NO_CONFIG, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        fs::rename(bundle.dir.join("config.json"), bundle.dir.join("Config.json"))?;
        refused(lab, out, &bundle, &bundle.id)
    }),
    Scenario::new("lifecycle.bundle/config-in-a-directory", NO_CONFIG, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r.directory_beside("below"))?;
        fs::rename(bundle.dir.join("config.json"), bundle.dir.join("below/config.json"))?;
        refused(lab, out, &bundle, &bundle.id)
    }),
    Scenario::new("lifecycle.bundle/config-is-a-directory", NO_CONFIG, &[Fault::Succeed(Op::Create)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        fs::remove_file(bundle.dir.join("config.json"))?;
        fs::create_dir(bundle.dir.join("config.json"))?;
        refused(lab, out, &bundle, &bundle.id)
    }),
];

const NO_BUNDLE: &[&str] = &["runtime.create.no-bundle-error", "runtime.errors.no-side-effects"];
const NO_CONFIG: &[&str] = &[
    "bundle.config-json.present",
    "bundle.config-json.at-bundle-root",
    "bundle.config-json.name",
    "runtime.create.no-bundle-error",
];

/// Creates from directory `from` by this name, and looks at what the state says of the bundle.
fn named(lab: &Lab<'_>, out: &mut Judgement, bundle: &Bundle, from: &Path, name: &str) -> StepResult {
    let container = lab.try_create_from(from, bundle, |values| values.with("bundle", name))?.container()?;
    let state = container.state()?;
    let told = Path::new(state.0["bundle"].as_str().unwrap_or_default());
    let same = told.canonicalize().ok() == bundle.dir.canonicalize().ok();
    let expected = format!("an absolute path to {}", bundle.dir.display());
    out.expect("the bundle in the state", told.is_absolute() && same, expected, told);
    container.started()?;
    container.finish_and_delete()
}

fn refused(lab: &Lab<'_>, out: &mut Judgement, bundle: &Bundle, name: &str) -> StepResult {
    refusal::of(lab, out, "create", || {
        Ok(lab.try_create_from(&lab.dir, bundle, |values| values.with("bundle", name))?.outcome)
    })?;
    out.expect("state after the refused create", !lab.call_id(Op::State, &bundle.id)?.succeeded(), "an error", ());
    Ok(())
}
