//! `linux.personality`: the execution domain.

use nix::unistd::getpid;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::observer::Observation;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

const PERSONALITY: &str = "/linux/personality";

/// The bits of personality(2) that are the domain; the others are flags.
const DOMAIN: i64 = 0xff;

/// The domain of the program is the configured one, and the kernel names its machine accordingly.
const SET: Rule = Rule::new(
    "linux.personality",
    &["linux.personality.sets-domain", "linux.personality.linux", "linux.personality.linux32"],
    |_| vec![Ask::Personality, Ask::Uname],
    |config, evidence, out| {
        let is_32 = config.text("/linux/personality/domain") == Some("LINUX32");
        let persona = evidence.inside.count(&Ask::Personality);
        out.expect_eq("domain", persona.map(|persona| persona & DOMAIN), Ok(if is_32 { 8 } else { 0 }));
        // There is no flag that a configuration could ask for.
        if let Ok(own) = Observation::of(getpid()) {
            let flags = i64::from(own.personality) & !DOMAIN;
            out.expect_eq("flags", persona.map(|persona| persona & !DOMAIN), Ok(flags));
        }
        let native = std::env::consts::ARCH;
        let machine = match (is_32, native) {
            (false, native) => native,
            (true, "x86_64") => "i686",
            (true, "aarch64") => "armv8l",
            (true, _) => return,
        };
        match evidence.inside.get(&Ask::Uname) {
            Ok(Reply::Uname(uname)) => out.expect_eq("machine", uname.machine.as_str(), machine),
            other => out.expect("machine", false, machine, other),
        }
    },
);

pub(super) const CASES: &[Case] = &[
    Case::new(
        &SET,
        "linux",
        |r| r.set(PERSONALITY, json!({ "domain": "LINUX" })),
        &[Fault::Take("/linux/personality/domain", "\"LINUX32\"")],
    ),
    Case::new(
        &SET,
        "linux32",
        |r| r.set(PERSONALITY, json!({ "domain": "LINUX32" })),
        &[Fault::Drop(PERSONALITY), Fault::Take("/linux/personality/domain", "\"LINUX\"")],
    ),
    Case::new(
        &SET,
        "linux32-of-another-user",
        |r| r.set(PERSONALITY, json!({ "domain": "LINUX32" })).set("/process/user/uid", 1000),
        &[Fault::Drop(PERSONALITY)],
    ),
    Case::new(
        &SET,
        "linux32-in-a-user-namespace",
        |r| crate::namespaces::usual_user(r).set(PERSONALITY, json!({ "domain": "LINUX32" })),
        &[Fault::Drop(PERSONALITY)],
    ),
    Case::new(
        &SET,
        "empty-flags",
        |r| r.set(PERSONALITY, json!({ "domain": "LINUX32", "flags": [] })),
        &[Fault::Drop(PERSONALITY)],
    ),
    Case::new(&SET, "absent", |r| r, &[Fault::Take(PERSONALITY, r#"{"domain":"LINUX32"}"#)]),
];

macro_rules! refused {
    ($($id:literal, $cites:expr, $value:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.personality.invalid/", $id),
            $cites,
            &[Fault::Drop(PERSONALITY)],
            |lab, out| lab.refuses(
                out,
                |r| r.set(PERSONALITY, json!({ "domain": "LINUX" })),
                |r| r.set(PERSONALITY, $value),
            ),
        )),*]
    };
}

const INVALID_VALUE: &[&str] = &["config.values.invalid-error"];

pub(super) const INVALID: &[Scenario] = refused! {
    "unknown-domain", INVALID_VALUE, json!({ "domain": "PLIMSOLL" });
    "domain-in-small-letters", INVALID_VALUE, json!({ "domain": "linux32" });
    "empty-domain", INVALID_VALUE, json!({ "domain": "" });
    "no-domain", &["linux.personality.domain-required", "config.values.invalid-error"], json!({});
    "flags", &["linux.personality.flags-none-supported", "config.values.invalid-error"],
        json!({ "domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"] });
};
