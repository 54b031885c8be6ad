//! `process.capabilities`: the five sets after execve(2), see capabilities(7).

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::host::CAPABILITIES;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Capabilities};
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_foreign::read;
use serde_json::json;

const ALL: &str = "/process/capabilities";
const SETS: [&str; 5] = ["bounding", "effective", "inheritable", "permitted", "ambient"];
const CITES: &[&str] = &[
    "config.process.capabilities-effective",
    "config.process.capabilities-bounding",
    "config.process.capabilities-inheritable",
    "config.process.capabilities-permitted",
    "config.process.capabilities-ambient",
];

/// The program has the five sets, as far as execve(2) leaves them to it.
pub(super) const INSIDE: Rule = Rule::new(
    "process.capabilities.sets",
    CITES,
    |_| vec![Ask::Capabilities],
    |config, evidence, out| match evidence.inside.capabilities() {
        Ok(found) => judge(config, found, out),
        Err(why) => out.expect("capabilities", false, "known", why),
    },
);

/// The kernel says the same to the host.
const BY_HOST: Rule = Rule::by_host("process.capabilities.by-host", CITES, |config, evidence, out| {
    judge(config, &evidence.host().status.capabilities, out);
});

fn judge(config: &Config, found: &Capabilities, out: &mut Judgement) {
    // The specification does not say which capabilities a program has if the configuration has none.
    if config.get(ALL).is_none() {
        return;
    }
    let wanted = after_exec(config);
    let pairs = [
        ("effective set", found.effective, wanted.effective),
        ("permitted set", found.permitted, wanted.permitted),
        ("inheritable set", found.inheritable, wanted.inheritable),
        ("bounding set", found.bounding, wanted.bounding),
        ("ambient set", found.ambient, wanted.ambient),
    ];
    for (what, found, wanted) in pairs {
        out.expect_eq(what, names(found), names(wanted));
    }
}

/// What a program without file capabilities has, when the runtime gave the configured sets to the process before
/// execve(2): root gets what is inheritable or in the bounding set (but nothing new with `noNewPrivileges`), others
/// get what is ambient.
pub(super) fn after_exec(config: &Config) -> Capabilities {
    let [bounding, _, inheritable, permitted, ambient] = SETS.map(|set| mask(config, set));
    let ambient = ambient & permitted & inheritable;
    let is_root = config.number("/process/user/uid").unwrap_or(0) == 0;
    let gained = if is_root { inheritable | bounding } else { 0 };
    let gained = if config.flag("/process/noNewPrivileges") { gained & permitted } else { gained };
    let held = gained | ambient;
    Capabilities { effective: held, permitted: held, inheritable, bounding, ambient }
}

fn mask(config: &Config, set: &str) -> u64 {
    let names = config.texts(&format!("{ALL}/{set}"));
    let bits = names.iter().filter_map(|name| CAPABILITIES.iter().position(|known| known == name));
    bits.fold(0, |mask, bit| mask | 1 << bit)
}

/// The capabilities of a set, as the kernel numbers them.
pub(crate) fn names(mask: u64) -> Vec<&'static str> {
    CAPABILITIES.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, name)| *name).collect()
}

/// Replaces these sets, and empties the others.
pub(crate) fn only<'r>(recipe: &'r mut Recipe, sets: &[&str], names: &[&str]) -> &'r mut Recipe {
    let members = SETS.iter().map(|&set| (set.to_owned(), json!(if sets.contains(&set) { names } else { &[] })));
    recipe.set(ALL, members.collect::<serde_json::Map<_, _>>())
}

/// The sets that make a program of root hold these capabilities.
pub(crate) const HELD: &[&str] = &["bounding", "effective", "permitted"];

const SOME: &[&str] = &["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

fn user(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set("/process/user", json!({ "uid": 1000, "gid": 1000 }))
}

const KEEPS_MORE: &[Fault] = &[
    Fault::Take("/process/capabilities/bounding", r#"["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETUID"]"#),
    Fault::Drop(ALL),
];
const KEEPS_ALL: &[Fault] = &[Fault::Take("/process/capabilities/bounding", r#"["CAP_CHOWN"]"#)];
const NO_AMBIENT: &[Fault] =
    &[Fault::Drop("/process/capabilities/ambient"), Fault::DropLast("/process/capabilities/ambient")];
const NO_INHERITABLE: &[Fault] = &[Fault::Drop("/process/capabilities/inheritable")];

macro_rules! cases {
    ($rule:expr) => {
        &[
            Case::new(
                $rule,
                "of-the-base",
                |r| r,
                &[
                    Fault::DropLast("/process/capabilities/bounding"),
                    Fault::Take("/process/capabilities/inheritable", r#"["CAP_CHOWN"]"#),
                ],
            ),
            Case::new($rule, "empty", |r| only(r, &[], &[]), KEEPS_ALL),
            Case::new($rule, "few", |r| only(r, HELD, SOME), KEEPS_MORE),
            Case::new(
                $rule,
                "bounding-is-wider",
                |r| only(r, HELD, SOME).push("/process/capabilities/bounding", "CAP_SETUID"),
                &[Fault::DropLast("/process/capabilities/bounding"), Fault::Take("/process/noNewPrivileges", "false")],
            ),
            Case::new($rule, "bounding-alone", |r| only(r, &["bounding"], SOME), KEEPS_MORE),
            Case::new(
                $rule,
                "inheritable",
                |r| only(r, &["bounding", "effective", "inheritable", "permitted"], SOME),
                NO_INHERITABLE,
            ),
            Case::new($rule, "of-another-user", |r| user(only(r, HELD, SOME)), KEEPS_MORE),
            Case::new($rule, "ambient", |r| user(only(r, &SETS, SOME)), NO_AMBIENT),
            Case::new($rule, "ambient-of-root", |r| only(r, &SETS, SOME), NO_AMBIENT),
            Case::new(
                $rule,
                "privileges-gained-by-root",
                |r| only(r, &["bounding"], SOME).set("/process/noNewPrivileges", false),
                &[Fault::Take("/process/noNewPrivileges", "true")],
            ),
        ]
    };
}

pub(super) const INSIDE_CASES: &[Case] = cases!(&INSIDE);
pub(super) const HOST_CASES: &[Case] = cases!(&BY_HOST);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "process.capabilities.ungrantable/unknown-name",
        &["config.process.capabilities-ungrantable-no-failure", "config.values.invalid-error"],
        &[Fault::Fail(plimsoll_engine::profile::Op::Create)],
        |lab, out| {
            if lab.claims(1, 1) {
                out.advise("a runtime should go on without what it cannot grant, and need not");
                return goes_on_without(lab, out, UNKNOWN);
            }
            out.advise("that an unknown name is an error was reversed by release 1.1.0");
            let some = [SOME, &[UNKNOWN]].concat();
            crate::refusal::by_create_or_start(lab, out, &lab.bundle(|r| only(r, HELD, &some))?)
        },
    ),
    Scenario::new(
        "process.capabilities.ungrantable/not-held",
        &["config.process.capabilities-ungrantable-no-failure"],
        &[Fault::Fail(plimsoll_engine::profile::Op::Create)],
        |lab, out| {
            if !lab.claims(1, 1) {
                return Err(Stop::Skip("before release 1.1.0 nothing is said of a capability that is not held".into()));
            }
            let status = read::kernel("/proc/self/status")?;
            let held = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
            let held = held.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(u64::MAX);
            match CAPABILITIES.iter().enumerate().find(|(bit, _)| held >> bit & 1 == 0) {
                Some((_, name)) => goes_on_without(lab, out, name),
                None => Err(Stop::Skip("the harness has all capabilities: take one from its bounding set".into())),
            }
        },
    )
    .needs(&[Need::HostView]),
    // What is ambient has to be inheritable, too.
    Scenario::new(
        "process.capabilities.ungrantable/ambient-alone",
        &["config.process.capabilities-ungrantable-no-failure"],
        &[Fault::Fail(plimsoll_engine::profile::Op::Create)],
        |lab, out| {
            const SETS: &[&str] = &["bounding", "effective", "permitted", "ambient"];
            goes_on(lab, out, |r| only(r, SETS, SOME), |r| only(r, HELD, SOME))
        },
    ),
];

/// A container that asks for a capability that cannot be had is made, and has the others.
/// A name that no kernel knows.
const UNKNOWN: &str = "CAP_PLIMSOLL";

fn goes_on_without(lab: &Lab<'_>, out: &mut Judgement, name: &str) -> StepResult {
    let mut some = SOME.to_vec();
    some.push(name);
    goes_on(lab, out, |r| only(r, HELD, &some), |r| only(r, HELD, SOME))
}

/// A container that is `asked` for is made, and has what is `granted`.
fn goes_on(
    lab: &Lab<'_>,
    out: &mut Judgement,
    asked: impl FnOnce(&mut Recipe) -> &mut Recipe,
    granted: fn(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let container = lab.running(asked)?;
    let evidence = container.evidence(vec![Ask::Capabilities])?;
    let mut recipe = Recipe::default();
    granted(&mut recipe);
    (INSIDE.judge)(&recipe.config(), &evidence, out);
    container.finish_and_delete()
}
