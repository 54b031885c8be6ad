//! Unknown properties are ignored, wherever they are (`config.md#extensibility`).

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

use crate::process::env::name;

const CITES: &[&str] = &["config.unknown-properties.ignored", "config.unknown-properties.no-error"];

/// The container is as it would be without them.
const IGNORED: Rule = Rule::new("config.unknown-properties", CITES, |_| asks(), as_configured);

/// Names of JSON members differ when one letter is a capital.
const OTHER_CASE: Rule = Rule::new(
    "config.names-are-case-sensitive",
    CITES,
    |_| asks(),
    |config, evidence, out| {
        as_configured(config, evidence, out);
        let Ok(Reply::Uname(uname)) = evidence.inside.get(&Ask::Uname) else { return };
        for member in ["/HostName", "/Hostname"] {
            let Some(other) = config.text(member) else { continue };
            out.expect(
                "host name",
                uname.nodename != other,
                "not that of the member in other letters",
                &uname.nodename,
            );
        }
    },
);

pub(super) fn asks() -> Vec<Ask> {
    vec![Ask::Args, Ask::Cwd, Ask::Ids, Ask::Uname, Ask::Environ]
}

/// The program and its surroundings are those that the known properties ask for.
pub(super) fn as_configured(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    let names = |ask| evidence.inside.names(&ask).map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    out.expect_eq("arguments", names(Ask::Args), Ok(config.texts("/process/args")));
    let (pairs, environ) = (config.texts("/process/env"), names(Ask::Environ));
    for (at, pair) in pairs.iter().enumerate() {
        // Of several values of one variable a runtime may keep the last: `process.env.verbatim` judges that.
        if pairs[at + 1..].iter().any(|later| name(later) == name(pair)) {
            continue;
        }
        out.expect(pair, environ.as_ref().is_ok_and(|all| all.contains(pair)), "in the environment", ());
    }
    let cwd = evidence.inside.text(&Ask::Cwd).map(String::as_str).ok();
    out.expect_eq("current directory", cwd, config.text("/process/cwd"));
    let (ids, uname) = (evidence.inside.get(&Ask::Ids), evidence.inside.get(&Ask::Uname));
    if let (Ok(Reply::Ids(ids)), Ok(Reply::Uname(uname))) = (ids, uname) {
        out.expect_eq("user", Some(ids.uids[0].into()), config.number("/process/user/uid"));
        // Which name a container has that asks for none is left to the runtime.
        if let Some(name) = config.text("/hostname") {
            out.expect_eq("host name", uname.nodename.as_str(), name);
        }
    } else {
        out.expect("user and host name", false, "answers", (ids, uname));
    }
}

/// A runtime that takes an unknown property for an error says so at create.
const REFUSES: &[Fault] = &[Fault::Fail(Op::Create), Fault::Take("/process/cwd", "\"/etc\"")];

macro_rules! unknown {
    ($($name:literal, $pointer:literal = $value:tt;)*) => {
        &[$(Case::new(&IGNORED, $name, |r| r.set($pointer, json!($value)), REFUSES)),*]
    };
}

pub(super) const CASES: &[Case] = unknown! {
        "top-level", "/com.example.unknown" = { "a": [1, "b", null, true] };
        "top-level-null", "/comExampleUnknown" = null;
        "process", "/process/comExample" = "x";
        "process-user", "/process/user/comExample" = 7;
        "process-capabilities", "/process/capabilities/comExample" = ["CAP_SYS_ADMIN"];
        "root", "/root/comExample" = { "path": "/etc" };
        "mount", "/mounts/0/comExample" = [{ "destination": "/x" }];
        "linux", "/linux/comExample" = { "cgroupsPath": "/elsewhere" };
        "linux-resources", "/linux/resources/comExample" = { "limit": -1 };
        "namespace", "/linux/namespaces/0/comExample" = "/proc/1/ns/pid";
        "hooks", "/hooks/comExample" = [{ "path": "/no/such/hook" }];
        "empty-name", "/" = "x";
};

pub(super) const OTHER_CASES: &[Case] = &[
    Case::new(
        &OTHER_CASE,
        "hostname",
        |r| r.set("/hostname", "right").set("/Hostname", "wrong"),
        &[Fault::Take("/hostname", "\"wrong\"")],
    ),
    Case::new(&OTHER_CASE, "hostname-alone", |r| r.set("/HostName", "wrong"), &[Fault::Take("/hostname", "\"wrong\"")]),
    Case::new(&OTHER_CASE, "cwd", |r| r.set("/process/CWD", "/etc"), &[Fault::Take("/process/cwd", "\"/etc\"")]),
    Case::new(&OTHER_CASE, "uid", |r| r.set("/process/user/UID", 1000), &[Fault::Take("/process/user/uid", "1000")]),
];
