//! `SCMP_ACT_NOTIFY` with a listener that answers: what it is sent, and what becomes of a notified call
//! (`config-linux.md#seccomp`, `#containerprocessstate`).

use nix::libc;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::{Fault, ListenerFault};
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::listener::{Connection, Listener, Verdict};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Answer, Ask, PATH, Reply};
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

use super::filter::{SECCOMP, UNUSUAL, with_rule};
use crate::lifecycle::schema::{breaches, is_semantic_version};
use crate::refusal;

const HOST: &[Need] = &[Need::HostView, Need::Kernel(5, 5)];
const EXEC: &[Need] = &[Need::HostView, Need::Kernel(5, 5), Need::Operation(Op::Exec)];
const ACTION: &str = "/linux/seccomp/syscalls/0/action";
const PATH_OF_LISTENER: &str = "/linux/seccomp/listenerPath";
const METADATA: &str = "/linux/seccomp/listenerMetadata";

/// Not to be read as anything but text.
const TEXT: &str = "{\"of\": \"größe 1\"}, \\n";

/// The call that the listener is notified of: on no descriptor, with known arguments.
const CALL: [u64; 3] = [0x7000, 11, 12];

/// A filter that has `readahead` notified to the socket at `path`.
fn notifying(path: &str) -> Value {
    let mut seccomp = with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_NOTIFY" }));
    seccomp["listenerPath"] = json!(path);
    seccomp
}

fn with_metadata(path: &str) -> Value {
    let mut seccomp = notifying(path);
    seccomp["listenerMetadata"] = json!(TEXT);
    seccomp
}

/// A running container whose filter notifies, and what its listener was sent.
fn handed<'l>(lab: &'l Lab<'_>, listener: &Listener<'_>, seccomp: &Value) -> StepResult<(Container<'l>, Connection)> {
    let container = lab.running(|r| r.set(SECCOMP, seccomp))?;
    let connection = listener.connection()?;
    Ok((container, connection))
}

fn ask() -> Ask {
    Ask::Syscall { number: libc::SYS_readahead, arguments: CALL.to_vec() }
}

/// One call is notified, and answered so; what the program sees of it is judged.
fn answered(lab: &Lab<'_>, out: &mut Judgement, seccomp: fn(&str) -> Value, verdict: Verdict) -> StepResult<Answer> {
    let listener = lab.listener()?;
    let (container, connection) = handed(lab, &listener, &seccomp(&listener.path()))?;
    let answer = container.ask_while(ask(), || {
        let notified = connection.answer(verdict, lab.driver.deadline())?;
        out.expect_eq("number of the notified call", notified.number, libc::SYS_readahead);
        out.expect_eq("its arguments", &notified.arguments[..3], &CALL[..]);
        Ok(())
    })?;
    container.finish_and_delete()?;
    Ok(answer)
}

const NOTIFIED: &[&str] = &["linux.seccomp.action-notify", "linux.seccomp.listener-path-connected"];
const NOT_NOTIFIED: &[Fault] = &[
    Fault::Drop(SECCOMP),
    Fault::Take(ACTION, "\"SCMP_ACT_ERRNO\""),
    Fault::Take(ACTION, "\"SCMP_ACT_ALLOW\""),
    Fault::Listener(ListenerFault::Bare),
];

pub(super) const ANSWERS: &[Scenario] = &[
    Scenario::new("seccomp.notify.answer/error", NOTIFIED, NOT_NOTIFIED, |lab, out| {
        let answer = answered(lab, out, notifying, Verdict::Fails(UNUSUAL))?;
        out.expect_eq("what the program sees", answer.map_err(|refused| refused.errno), Err(UNUSUAL));
        Ok(())
    })
    .needs(HOST),
    Scenario::new("seccomp.notify.answer/value", NOTIFIED, NOT_NOTIFIED, |lab, out| {
        let answer = answered(lab, out, notifying, Verdict::Value(4242))?;
        out.expect_eq("what the program sees", answer, Ok(Reply::Count(4242)));
        Ok(())
    })
    .needs(HOST),
    Scenario::new("seccomp.notify.answer/continues", NOTIFIED, NOT_NOTIFIED, |lab, out| {
        let answer = answered(lab, out, notifying, Verdict::Goes)?;
        out.expect_eq("what the program sees", answer.map_err(|refused| refused.errno), Err(libc::EBADF));
        Ok(())
    })
    .needs(HOST),
    Scenario::new(
        "seccomp.notify.flag/wait-killable",
        &["linux.seccomp.flag-wait-killable-recv"],
        &[Fault::Drop(SECCOMP), Fault::Take(ACTION, "\"SCMP_ACT_ERRNO\"")],
        |lab, out| {
            let seccomp = |path: &str| {
                let mut seccomp = notifying(path);
                seccomp["flags"] = json!(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]);
                seccomp
            };
            let answer = answered(lab, out, seccomp, Verdict::Value(7))?;
            out.expect_eq("what the program sees", answer, Ok(Reply::Count(7)));
            Ok(())
        },
    )
    .needs(&[Need::HostView, Need::Kernel(5, 19)]),
];

/// One scenario a row: a part of what the listener is sent, the lies about it, and how it is judged.
macro_rules! sent {
    ($($id:literal, $cites:expr, $seccomp:expr, $proves:expr, $judge:expr;)*) => {
        &[$(Scenario::new(concat!("seccomp.notify.", $id), $cites, $proves, |lab, out| {
            let listener = lab.listener()?;
            let (container, connection) = handed(lab, &listener, &$seccomp(&listener.path()))?;
            let judge: fn(&Container<'_>, &Connection, &mut Judgement) -> StepResult = $judge;
            judge(&container, &connection, out)?;
            container.finish_and_delete()
        }).needs(HOST)),*]
    };
}

pub(super) const SENT: &[Scenario] = sent! {
    "state/release", &["linux.seccomp-state.json-payload", "linux.seccomp-state.oci-version"], notifying,
        &[Fault::SaysToListener("/ociVersion", "7"), Fault::SaysToListener("/ociVersion", "")],
        |_, connection, out| {
            let state = connection.state()?;
            let release = state["ociVersion"].as_str().unwrap_or_default();
            out.expect("ociVersion", is_semantic_version(release), "a release", &state["ociVersion"]);
            Ok(())
        };
    "state/pid", &["linux.seccomp-state.pid"], notifying,
        &[Fault::SaysToListener("/pid", "1"), Fault::SaysToListener("/pid", "")], |container, connection, out| {
            out.expect_eq("pid", connection.state()?["pid"].as_i64(), Some(container.pid.as_raw().into()));
            Ok(())
        };
    "state/of-the-container", &["linux.seccomp-state.state"], notifying,
        &[Fault::SaysToListener("/state", ""), Fault::SaysToListener("/state/id", "\"other\""),
            Fault::SaysToListener("/state/bundle", "\"/\""), Fault::SaysToListener("/state/status", "7")],
        |container, connection, out| {
            let state = &connection.state()?["state"];
            out.expect_eq("what of it breaks the schema of states", breaches(state), Vec::<String>::new());
            out.expect_eq("id", state["id"].as_str(), Some(container.id()));
            out.expect_eq("bundle", state["bundle"].as_str(), container.bundle.dir.to_str());
            Ok(())
        };
    "state/names-of-descriptors",
        &["linux.seccomp.listener-fd-name", "linux.seccomp-state.fds-index-order", "linux.seccomp-state.fds-optional"],
        notifying, &[Fault::SaysToListener("/fds", "[\"other\"]"), Fault::SaysToListener("/fds", "")],
        |_, connection, out| {
            let state = connection.state()?;
            let names: Vec<&str> = state["fds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            out.expect_eq("how often seccompFd", names.iter().filter(|name| **name == "seccompFd").count(), 1);
            out.expect_eq("how many descriptors came", connection.fds.len(), names.len());
            Ok(())
        };
    "descriptors/with-the-first-message",
        &["linux.seccomp-state.fds-by-scm-rights", "linux.seccomp-state.fds-in-first-sendmsg"], notifying,
        &[Fault::Listener(ListenerFault::Late), Fault::Listener(ListenerFault::Bare)], |_, connection, out| {
            out.expect("descriptors", !connection.fds.is_empty(), "at least one", connection.fds.len());
            out.expect_eq("those with the first message", connection.with_first, connection.fds.len());
            Ok(())
        };
    "metadata/verbatim", &["linux.seccomp.listener-metadata-sent"], with_metadata,
        &[Fault::Drop(METADATA), Fault::Take(METADATA, "\"other\"")], |_, connection, out| {
            out.expect_eq("metadata", connection.state()?["metadata"].as_str(), Some(TEXT));
            Ok(())
        };
    "metadata/absent", &["linux.seccomp-state.metadata-optional"], notifying,
        &[Fault::SaysToListener("/metadata", "\"other\"")], |_, connection, out| {
            let state = connection.state()?;
            let metadata = state["metadata"].as_str().unwrap_or_default();
            out.expect("metadata", metadata.is_empty(), "none", metadata);
            Ok(())
        };
    "connection/closed-after-one-state",
        &["linux.seccomp.listener-one-state-per-connection", "linux.seccomp.listener-connection-closed"], notifying,
        &[Fault::Listener(ListenerFault::LeftOpen), Fault::Listener(ListenerFault::Twice),
            Fault::Listener(ListenerFault::TwoConnections)],
        |_, connection, out| {
            connection.state()?;
            out.expect("the connection after create and start", connection.closed, "closed", "open");
            Ok(())
        };
};

pub(super) const CONNECTIONS: &[Scenario] = &[
    Scenario::new(
        "seccomp.notify.connection/one-for-each-process",
        &[
            "linux.seccomp-state.pid",
            "linux.seccomp.listener-one-state-per-connection",
            "linux.seccomp.listener-connection-not-reused",
        ],
        &[Fault::ExecBeside(""), Fault::SaysToListener("/pid", "1"), Fault::Listener(ListenerFault::TwoConnections)],
        of_exec,
    )
    .needs(EXEC)
    .waits()
    .axis(Axis::Compat),
    Scenario::new(
        "seccomp.notify.path/unused-without-the-action",
        &["linux.seccomp.listener-path-ignored-without-notify"],
        &[Fault::Take(ACTION, "\"SCMP_ACT_NOTIFY\"")],
        |lab, out| {
            let listener = lab.listener()?;
            let seccomp = Config(notifying(&listener.path()));
            let container = lab.running(|r| r.set(SECCOMP, &seccomp).set(ACTION, "SCMP_ACT_ERRNO"))?;
            out.expect_eq("connections", listener.connections()?.len(), 0);
            container.finish_and_delete()
        },
    ),
    Scenario::new(
        "seccomp.notify.path/absent-without-the-action",
        &["linux.seccomp.listener-path-ignored-without-notify"],
        &[Fault::Take(ACTION, "\"SCMP_ACT_NOTIFY\"")],
        |lab, out| {
            let container =
                lab.running(|r| r.set(SECCOMP, notifying("{bundle}/none")).set(ACTION, "SCMP_ACT_ERRNO"))?;
            out.expect_eq("whether it is alive", container.is_alive()?, true);
            container.finish_and_delete()
        },
    ),
];

/// A program of exec has the filter too: its listener is sent by a connection of its own, and its calls are answered.
fn of_exec(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let listener = lab.listener()?;
    let (container, first) = handed(lab, &listener, &with_metadata(&listener.path()))?;
    let mut program = container.exec_with(|values| values.with_words("args", &[PATH]))?;
    let hello = program.greeted()?;
    let second = listener.connection()?;
    let state = second.state()?;
    let pid = program.pid(&hello)?.map(|pid| i64::from(pid.as_raw()));
    out.expect_eq("pid", state["pid"].as_i64(), pid);
    out.expect_eq("metadata", state["metadata"].as_str(), Some(TEXT));
    out.expect("the init process", first.state()?["pid"] != state["pid"], "another one", &state["pid"]);
    let answer = program.ask_while(ask(), || second.answer(Verdict::Value(9), lab.driver.deadline()).map(drop))?;
    out.expect_eq("what the program sees", answer, Some(Ok(Reply::Count(9))));
    program.finish()?.ok()?;
    container.finish_and_delete()
}

/// One scenario a row: a path that no listener can be reached by.
macro_rules! unreachable {
    ($cites:expr; $($id:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("seccomp.notify.refused/", $id),
            $cites,
            &[Fault::Drop(SECCOMP), Fault::Take(ACTION, "\"SCMP_ACT_ALLOW\""), Fault::Take(ACTION, "\"SCMP_ACT_ERRNO\"")],
            |lab, out| refusal::by_create_or_start(lab, out, &lab.bundle($edits)?),
        )),*]
    };
}

pub(super) const UNREACHABLE: &[Scenario] = unreachable! { &["linux.seccomp.listener-send-failure-error"];
    "no-socket", |r| r.set(SECCOMP, notifying("{bundle}/none"));
    "no-directory", |r| r.set(SECCOMP, notifying("{bundle}/none/none"));
    "a-file", |r| r.beside("file", "").set(SECCOMP, notifying("{bundle}/file"));
};

pub(super) const WITHOUT_PATH: &[Scenario] = unreachable! {
    &["linux.seccomp.listener-metadata-needs-path", "linux.seccomp.listener-metadata-sent"];
    "metadata-without-a-path", |r| r.set(SECCOMP, with_metadata("")).remove(PATH_OF_LISTENER);
};
/// The answers would come from nowhere.
const NO_PATH: &[Scenario] = unreachable! { &["linux.seccomp.listener-path-connected"];
    "no-path", |r| r.set(SECCOMP, notifying("")).remove(PATH_OF_LISTENER);
};
pub(super) const ADVISORY: &[Scenario] =
    &[NO_PATH[0].advisory("listenerPath is optional, and the effect of SCMP_ACT_NOTIFY without it is not specified")];
