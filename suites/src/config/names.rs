//! `hostname` and `domainname` (`config.md#hostname`, `config.md#domainname`). Every check verifies that the names of the host do not
//! change.

use nix::sys::utsname::uname;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};

const HOSTNAME: Rule = Rule::new(
    "config.hostname",
    &["config.hostname.applied"],
    |_| vec![Ask::Uname],
    |config, evidence, out| match evidence.inside.get(&Ask::Uname) {
        Ok(Reply::Uname(names)) => out.expect_eq("host name", Some(names.nodename.as_str()), config.text("/hostname")),
        other => out.expect("host name", false, "an answer", other),
    },
);

const DOMAINNAME: Rule = Rule::new(
    "config.domainname",
    &["config.domainname.applied"],
    |_| vec![Ask::Uname],
    |config, evidence, out| match evidence.inside.get(&Ask::Uname) {
        Ok(Reply::Uname(names)) => {
            out.expect_eq("domain name", Some(names.domainname.as_str()), config.text("/domainname"));
        }
        other => out.expect("domain name", false, "an answer", other),
    },
);

const NO_HOSTNAME: &[Fault] = &[Fault::Drop("/hostname"), Fault::Take("/hostname", "\"other\"")];
const NO_DOMAINNAME: &[Fault] = &[Fault::Drop("/domainname"), Fault::Take("/domainname", "\"other\"")];

/// The longest that the kernel takes: 64 bytes.
const LONGEST: &str = "0123456789-abcdefghijklmnopqrstuvwxyz.0123456789-abcdefghijklmno";

/// The domain name came with version 1.1.0.
fn domain<'r>(recipe: &'r mut Recipe, name: &str) -> &'r mut Recipe {
    recipe.set("/ociVersion", "1.1.0").set("/domainname", name)
}

pub(super) const CASES: &[Case] = &[
    Case::new(&HOSTNAME, "plain", |r| r.set("/hostname", "plimsoll"), NO_HOSTNAME),
    Case::new(&HOSTNAME, "with-dots", |r| r.set("/hostname", "a.b-c.example.org"), NO_HOSTNAME),
    Case::new(&HOSTNAME, "capitals", |r| r.set("/hostname", "Plimsoll-A"), NO_HOSTNAME),
    Case::new(&HOSTNAME, "one-character", |r| r.set("/hostname", "x"), NO_HOSTNAME),
    Case::new(&HOSTNAME, "longest", |r| r.set("/hostname", LONGEST), NO_HOSTNAME),
    Case::new(&HOSTNAME, "unicode", |r| r.set("/hostname", "schön-船"), NO_HOSTNAME),
    Case::new(&DOMAINNAME, "plain", |r| domain(r, "plimsoll.example"), NO_DOMAINNAME),
    Case::new(&DOMAINNAME, "longest", |r| domain(r, LONGEST), NO_DOMAINNAME),
    Case::new(&DOMAINNAME, "beside-hostname", |r| domain(r, "d.example").set("/hostname", "h"), NO_DOMAINNAME),
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "config.hostname/without-uts-namespace",
        &["config.hostname.without-new-uts"],
        &[Fault::Drop("/hostname")],
        |lab, out| without_uts(lab, out, |r| r.set("/hostname", "plimsoll-name"), "/hostname"),
    )
    .needs(&[Need::Namespace("uts")]),
    Scenario::new(
        "config.domainname/without-uts-namespace",
        &["config.domainname.without-new-uts"],
        &[Fault::Drop("/domainname")],
        |lab, out| without_uts(lab, out, |r| domain(r, "plimsoll-name"), "/domainname"),
    )
    .needs(&[Need::Namespace("uts")]),
];

/// Without a namespace of its own the name is that of the runtime: it is changed there, or it is an error that changes
/// nothing. The check has a throw-away namespace, so that the host's name is safe.
fn without_uts(lab: &Lab<'_>, out: &mut Judgement, edits: fn(&mut Recipe) -> &mut Recipe, pointer: &str) -> StepResult {
    let before = own_name(pointer)?;
    let bundle = lab.bundle(|r| edits(r.inherit_namespace("uts")))?;
    let attempt = lab.try_create(&bundle)?;
    let after = own_name(pointer)?;
    if !attempt.outcome.succeeded() {
        out.expect_eq("the name around the container after the error", after, before);
        return attempt.outcome.refused();
    }
    out.expect_eq("the name around the container", Some(after.as_str()), bundle.config.text(pointer));
    let container = attempt.container()?;
    container.started()?;
    container.finish_and_delete()?;
    Ok(set_own_name(pointer, &before)?)
}

fn own_name(pointer: &str) -> StepResult<String> {
    let names = uname()?;
    let name = if pointer == "/hostname" { names.nodename() } else { names.domainname() };
    Ok(name.to_string_lossy().into_owned())
}

fn set_own_name(pointer: &str, name: &str) -> std::io::Result<()> {
    std::fs::write(format!("/proc/sys/kernel{pointer}"), name)
}
