//! `linux.resources.devices` (`config-linux.md#allowed-device-list`): the kernel denies what the rules
//! deny, before it looks for a driver. The numbers are those that are isolated for local use, and have none; so an
//! access that is allowed finds nothing behind the node. Default devices are left alone: runtimes allow them by
//! themselves, as they do making a node that cannot be opened.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Refused};
use plimsoll_fixtures::{Config, Edit, Recipe};
use serde_json::{Value, json};

const LIST: &str = "/linux/resources/devices";

/// Version 2 has no files for devices: programs are attached to the group.
const CONTROL: Knob = Knob { controller: "devices", v1: "devices.list", v2: "cgroup.procs" };
const NEEDS: &[Need] = &[Need::HostView, Need::Knob(CONTROL)];

/// A node that is tried.
struct Node(&'static str, char, u32, u32);

const NODES: [Node; 6] = [
    Node("/nodes/first", 'c', 60, 3),
    Node("/nodes/other-minor", 'c', 60, 4),
    Node("/nodes/other-major", 'c', 61, 3),
    Node("/nodes/block", 'b', 60, 3),
    Node("/nodes/other-block", 'b', 61, 4),
    // One that is often there, and no default one.
    Node("/nodes/fuse", 'c', 10, 229),
];

/// Whether the rules allow an access: the last one that covers it decides.
fn allowed(rules: &[Value], node: &Node, letter: char) -> bool {
    let covers = |rule: &&Value| {
        let kind = rule["type"].as_str().unwrap_or("a");
        let number = |name: &str, own: u32| rule[name].as_i64().is_none_or(|wanted| wanted == i64::from(own));
        let access = rule["access"].as_str().unwrap_or("rwm").contains(letter);
        let of_kind = kind == "a" || kind.starts_with(node.1);
        access && of_kind && number("major", node.2) && number("minor", node.3)
    };
    rules.iter().rev().find(covers).is_none_or(|rule| rule["allow"] == true)
}

fn open(node: &Node, letter: char) -> Ask {
    let flags = if letter == 'r' { libc::O_RDONLY } else { libc::O_WRONLY };
    Ask::Open { path: node.0.to_owned(), flags: flags | libc::O_NONBLOCK }
}

fn make(node: &Node) -> Ask {
    Ask::Mknod { path: "/nodes/made".to_owned(), kind: node.1, major: node.2, minor: node.3 }
}

fn opened(_: &Config) -> Vec<Ask> {
    NODES.iter().flat_map(|node| ['r', 'w'].map(|letter| open(node, letter))).collect()
}

fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for (node, letter) in NODES.iter().flat_map(|node| ['r', 'w'].map(|letter| (node, letter))) {
        let answer = evidence.inside.get(&open(node, letter));
        let refused = answer.is_err_and(Refused::is_denial);
        let wanted = allowed(config.list(LIST), node, letter);
        let what = format!("{letter} of {} {}:{}", node.1, node.2, node.3);
        out.expect(&what, refused != wanted, if wanted { "not denied" } else { "denied" }, answer);
    }
}

const OPENED: Rule = Rule::new(
    "resources.devices",
    &[
        "linux.resources.devices.effect",
        "linux.resources.devices.listed-order",
        "linux.resources.devices.type-default-all",
        "linux.resources.devices.numbers-default-wildcard",
        "linux.resources.devices.access-letters",
    ],
    opened,
    judge,
)
.needs(NEEDS);

/// The nodes, and these rules.
fn with(recipe: &mut Recipe, rules: Value) -> &mut Recipe {
    recipe.directory("/nodes").set(LIST, rules);
    for Node(path, kind, major, minor) in NODES {
        recipe.edit(Edit::Device(format!("rootfs{path}"), kind, major, minor));
    }
    recipe
}

fn rule(allow: bool, kind: &str, numbers: (Option<u32>, Option<u32>), access: &str) -> Value {
    let mut rule = json!({ "allow": allow, "type": kind, "access": access });
    let numbers = [("major", numbers.0), ("minor", numbers.1)];
    numbers
        .into_iter()
        .filter_map(|(name, number)| Some((name, number?)))
        .for_each(|(name, number)| rule[name] = json!(number));
    rule
}

/// A rule about the first node.
fn first(allow: bool, access: &str) -> Value {
    rule(allow, "c", (Some(60), Some(3)), access)
}

fn all(allow: bool) -> Value {
    json!({ "allow": allow, "access": "rwm" })
}

/// One case a row: the rules, and faulty runtimes.
macro_rules! opened {
    ($rule:expr; $($name:literal, [$($entry:expr),+], $faults:expr;)*) => {
        &[$(Case::new($rule, $name, |r| with(r, json!([$($entry),+])), $faults)),*]
    };
}

const ORDER: &[Fault] = &[Fault::Drop(LIST), Fault::DropLast(LIST), Fault::Reverse(LIST)];
const LAST: &[Fault] = &[Fault::Drop(LIST), Fault::DropLast(LIST)];
const ACCESS: &[Fault] = &[
    Fault::DropLast(LIST),
    Fault::Reverse(LIST),
    Fault::Take("/linux/resources/devices/1/access", "\"rw\""),
    Fault::Take("/linux/resources/devices/1/allow", "false"),
];
const NUMBERS: &[Fault] =
    &[Fault::DropLast(LIST), Fault::Reverse(LIST), Fault::Take("/linux/resources/devices/1/minor", "4")];

pub(super) const CASES: &[Case] = opened! { &OPENED;
    "one-is-allowed", [all(false), first(true, "rwm")], &[
        Fault::Drop(LIST),
        Fault::DropLast(LIST),
        Fault::Reverse(LIST),
        Fault::Drop("/linux/resources/devices/0"),
        Fault::Take("/linux/resources/devices/1/major", "61"),
        Fault::Take("/linux/resources/devices/1/minor", "4"),
        Fault::Take("/linux/resources/devices/1/type", "\"b\""),
        Fault::MoveOut,
    ];
    "none-is-allowed", [all(false)], &[Fault::Drop(LIST), Fault::Take("/linux/resources/devices/0/allow", "true")];
    "all-are-denied-last", [first(true, "rwm"), all(false)], ORDER;
    "reading", [all(false), first(true, "r")], ACCESS;
    "writing", [all(false), first(true, "w")], ACCESS;
    "reading-and-writing", [all(false), first(true, "rw")], &[
        Fault::DropLast(LIST),
        Fault::Take("/linux/resources/devices/1/access", "\"r\""),
        Fault::Take("/linux/resources/devices/1/access", "\"w\""),
    ];
    "reading-and-writing-by-two-rules", [all(false), first(true, "r"), first(true, "w")],
        &[Fault::DropLast(LIST), Fault::Drop("/linux/resources/devices/1")];
    "every-minor", [all(false), rule(true, "c", (Some(60), None), "rwm")], NUMBERS;
    "every-major", [all(false), rule(true, "c", (None, Some(3)), "rwm")], NUMBERS;
    "every-number", [all(false), rule(true, "c", (None, None), "rwm")], NUMBERS;
    "every-block", [all(false), rule(true, "b", (None, None), "rw")],
        &[Fault::DropLast(LIST), Fault::Take("/linux/resources/devices/1/type", "\"c\"")];
    "a-block", [all(false), rule(true, "b", (Some(60), Some(3)), "rwm")],
        &[Fault::DropLast(LIST), Fault::Take("/linux/resources/devices/1/type", "\"c\"")];
    "several", [all(false), first(true, "rw"), rule(true, "b", (Some(61), Some(4)), "r"), rule(true, "c", (Some(61), Some(3)), "w")],
        &[Fault::DropLast(LIST), Fault::Drop("/linux/resources/devices/2"), Fault::Reverse(LIST)];
    "all-but-one", [all(true), first(false, "rwm")], ORDER;
    "all-but-writing-to-one", [all(true), first(false, "w")], ORDER;
    "all-but-a-block", [all(true), rule(false, "b", (Some(60), Some(3)), "rwm")], LAST;
    "one-access-is-taken-back", [all(false), first(true, "rw"), first(false, "w")], LAST;
    "denied-and-allowed-again", [all(false), first(true, "rw"), first(false, "rw"), first(true, "r")], LAST;
    "type-a-by-name", [rule(false, "a", (None, None), "rwm"), first(true, "rwm")], ORDER;
};

const MADE_RULE: Rule = Rule::new(
    "resources.devices.make",
    &["linux.resources.devices.access-letters", "linux.resources.devices.listed-order"],
    |_| NODES.iter().map(make).collect(),
    |config, evidence, out| {
        for node in NODES.iter().filter(|node| allowed(config.list(LIST), node, 'm')) {
            let made = evidence.inside.get(&make(node));
            out.expect(&format!("mknod of {} {}:{}", node.1, node.2, node.3), made.is_ok(), "a node", made);
        }
    },
)
.needs(NEEDS);

/// That which is denied, although a node that cannot be opened does no harm.
const NOT_MADE_RULE: Rule = Rule::new(
    "resources.devices.make-denied",
    &["linux.resources.devices.access-letters"],
    |_| NODES.iter().map(make).collect(),
    |config, evidence, out| {
        for node in NODES.iter().filter(|node| !allowed(config.list(LIST), node, 'm')) {
            let made = evidence.inside.get(&make(node));
            let denied = made.is_err_and(Refused::is_denial);
            out.expect(&format!("mknod of {} {}:{}", node.1, node.2, node.3), denied, "denied", made);
        }
    },
)
.needs(NEEDS);

/// Some runtimes let each node be made, so only without the capability none can be.
const INCAPABLE: &[Fault] = &[Fault::Take("/process/capabilities", r#"{"bounding":[],"effective":[],"permitted":[]}"#)];

pub(super) const MADE: &[Case] = opened! { &MADE_RULE;
    "one", [all(false), first(true, "m")], INCAPABLE;
    "all-of-a-kind", [all(false), rule(true, "b", (None, None), "m")], INCAPABLE;
};

pub(super) const NOT_MADE: &[Case] = opened! { &NOT_MADE_RULE;
    "all-but-one", [all(false), first(true, "rwm")], &[Fault::Drop(LIST)];
    "one", [all(true), first(false, "m")], &[Fault::Drop(LIST)];
};

/// What the list of version 1 cannot say: a part of what a rule with wildcards allows is denied. Refused, or done.
macro_rules! refused_or_done {
    ($($id:literal, [$($entry:expr),+];)*) => {
        &[$(Scenario::new(
            $id,
            &["linux.resources.devices.effect", "runtime.create.unappliable-property-error"],
            &[Fault::Drop(LIST), Fault::DropLast(LIST)],
            |lab, out| refused_or_done(lab, out, json!([$($entry),+])),
        ).needs(NEEDS)),*]
    };
}

pub(super) const HARD: &[Scenario] = refused_or_done! {
    "resources.devices.hard/one-of-all-minors", [all(false), rule(true, "c", (Some(60), None), "rwm"), first(false, "rwm")];
    "resources.devices.hard/writing-to-one-of-all", [all(false), rule(true, "c", (None, None), "rw"), first(false, "w")];
    "resources.devices.hard/all-minors-but-one", [all(true), rule(false, "c", (Some(60), None), "rwm"), first(true, "r")];
};

fn refused_or_done(lab: &Lab<'_>, out: &mut Judgement, rules: Value) -> StepResult {
    let bundle = lab.bundle(|r| with(r, rules))?;
    let watch = lab.watch()?;
    let attempt = lab.try_create(&bundle)?;
    if !attempt.outcome.succeeded() {
        return crate::refusal::settle(lab, out, &watch, &bundle, attempt);
    }
    let container = attempt.container()?;
    container.started()?;
    judge(&bundle.config, &container.evidence(opened(&bundle.config))?, out);
    container.finish_and_delete()
}

const RULE_WITHOUT_ACCESS: Rule =
    Rule::new("resources.devices.optional", &["linux.resources.devices.optional-members"], opened, judge)
        .needs(NEEDS)
        .advisory("nothing says what a rule without `access` is about");

/// What an absent `access` means is left open; each runtime that takes the rule takes it for all three.
pub(super) const OPTIONAL: &[Case] = opened! { &RULE_WITHOUT_ACCESS;
    "nothing-but-allow", [json!({ "allow": false })],
        &[Fault::Drop(LIST), Fault::Take("/linux/resources/devices/0/allow", "true")];
};
