//! Edits of `config.json` after create have no effect (`runtime.md#lifecycle`).

use std::fs;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::{Bundle, Config, Recipe};
use serde_json::{Value, json};

const CITES: &[&str] = &["runtime.lifecycle.config-edits-ignored", "runtime.create.later-edits-no-effect"];

/// One scenario a row: a property before and after the edit, and how the container shows it. The fault takes the edited
/// value: what a runtime would do that reads the file again.
macro_rules! edited {
    ($($id:literal, $pointer:literal: $before:literal to $after:literal, $seen:expr;)*) => {
        &[$(Scenario::new($id, CITES, &[Fault::Take($pointer, $after)], |lab, out| {
            edited(lab, out, $pointer, [json($before), json($after)], $seen)
        })),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = edited! {
    "lifecycle.config-edits/args", "/process/args": r#"["/probe", "old"]"# to r#"["/probe", "new"]"#, |container| {
        container.ask(Ask::Args).map(|answer| answer.map(as_names).ok())
    };
    "lifecycle.config-edits/program", "/process/args": r#"["/probe", "log=/old"]"# to r#"["/probe", "log=/new"]"#,
    |container| {
        let ran = |name: &str| container.bundle.rootfs().join(name).exists();
        Ok(Some(json!(["/probe", if ran("old") && !ran("new") { "log=/old" } else { "log=/new" }])))
    };
    "lifecycle.config-edits/env", "/process/env": r#"["A=old"]"# to r#"["A=new"]"#, |container| {
        let names = container.ask(Ask::Environ)?.map(as_names).ok();
        let mine = |names: Value| names.as_array().into_iter().flatten().filter(|name| is_mine(name)).cloned().collect();
        Ok(names.map(mine))
    };
    "lifecycle.config-edits/cwd", "/process/cwd": r#""/tmp""# to r#""/etc""#, |container| {
        container.ask(Ask::Cwd).map(|answer| answer.map(as_text).ok())
    };
    "lifecycle.config-edits/user", "/process/user/uid": "1000" to "1001", |container| {
        container.ask(Ask::Ids).map(|answer| answer.map(as_user).ok())
    };
    "lifecycle.config-edits/hostname", "/hostname": r#""old""# to r#""new""#, |container| {
        container.ask(Ask::Uname).map(|answer| answer.map(as_hostname).ok())
    };
    "lifecycle.config-edits/annotations", "/annotations": r#"{"com.example.a": "old"}"# to r#"{"com.example.a": "new"}"#,
    |container| {
        Ok(Some(json!({ "com.example.a": container.state()?.0["annotations"]["com.example.a"] })))
    };
};

fn edited(
    lab: &Lab<'_>,
    out: &mut Judgement,
    pointer: &str,
    [before, after]: [Value; 2],
    seen: impl FnOnce(&Container<'_>) -> StepResult<Option<Value>>,
) -> StepResult {
    let container = lab.created(|r| r.set(pointer, &before))?;
    rewrite(&container.bundle, |r| r.set(pointer, &after))?;
    container.started()?;
    out.expect_eq(pointer, seen(&container)?, container.bundle.config.get(pointer).cloned());
    container.finish_and_delete()
}

/// Writes the configuration of a bundle anew, with further edits.
fn rewrite(bundle: &Bundle, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    let mut recipe = Recipe::default();
    edits(&mut recipe);
    let config: Config = recipe.config_of(bundle.config.clone());
    Ok(bundle.write_config(config.0.to_string().as_bytes())?)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn is_mine(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with("A="))
}

fn as_names(reply: Reply) -> Value {
    if let Reply::Names(names) = reply { json!(names) } else { Value::Null }
}

fn as_text(reply: Reply) -> Value {
    if let Reply::Text(text) = reply { json!(text) } else { Value::Null }
}

fn as_user(reply: Reply) -> Value {
    if let Reply::Ids(ids) = reply { json!(ids.uids[0]) } else { Value::Null }
}

fn as_hostname(reply: Reply) -> Value {
    if let Reply::Uname(names) = reply { json!(names.nodename) } else { Value::Null }
}

/// Once created, a container no longer needs its `config.json`.
pub(super) const WITHOUT: &[Scenario] = &[
    Scenario::new("lifecycle.config-edits/removed", CITES, WHOLE, |lab, out| {
        without(lab, out, |bundle| Ok(fs::remove_file(bundle.dir.join("config.json"))?))
    }),
    Scenario::new("lifecycle.config-edits/emptied", CITES, WHOLE, |lab, out| {
        without(lab, out, |bundle| Ok(bundle.write_config(b"")?))
    }),
    Scenario::new("lifecycle.config-edits/replaced-by-a-hostile-one", CITES, WHOLE, |lab, out| {
        without(lab, out, |bundle| Ok(bundle.write_config(br#"{"ociVersion":"9.0.0","process":[]}"#)?))
    }),
    Scenario::new("lifecycle.config-edits/hooks", CITES, &[Fault::Drop("/hooks/poststop")], |lab, out| {
        let container = lab.created(|r| r.hook("poststop", "old", &[]))?;
        rewrite(&container.bundle, |r| r.remove("/hooks/poststop").hook("poststop", "new", &[]))?;
        container.started()?;
        container.finish_and_delete()?;
        let names: Vec<String> = container.bundle.hook_log()?.into_iter().map(|record| record.name).collect();
        out.expect_eq("the hooks that ran", names, ["old"]);
        Ok(())
    }),
];

const WHOLE: &[Fault] = &[
    Fault::Ignore(plimsoll_engine::profile::Op::Start),
    Fault::Lie("/status", "\"created\""),
    Fault::Fail(plimsoll_engine::profile::Op::Delete),
];

fn without(lab: &Lab<'_>, out: &mut Judgement, harm: impl FnOnce(&Bundle) -> StepResult) -> StepResult {
    let container = lab.created(|r| r)?;
    harm(&container.bundle)?;
    out.expect_eq("status when created", container.state()?.status(), "created");
    container.started()?;
    out.expect_eq("status when running", container.state()?.status(), "running");
    container.kill(nix::sys::signal::Signal::SIGKILL)?.ok()?;
    container.wait()?;
    out.expect_eq("status when stopped", container.state()?.status(), "stopped");
    container.delete()?.ok()
}
