//! The value that the kernel holds at the container's own group, for each member that asks for one.

use plimsoll_engine::cgroup::{Knob, KnobValue, Version};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::Config;
use serde_json::Value;

/// A member of `linux.resources` and how the kernel holds its value.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// Where the configuration has it.
    pub at: &'static str,
    /// The settings that may hold it: one of those that are there has to.
    pub knobs: &'static [Knob],
    /// Whether a group that holds this holds that value. The configuration is for values that others decide about.
    pub is: fn(&Value, &KnobValue, &Config) -> bool,
}

impl Member {
    /// Judges it, where the configuration has it.
    pub fn judge(&self, config: &Config, evidence: &Evidence, out: &mut Judgement) {
        let Some(wanted) = config.get(self.at) else { return };
        let held: Vec<_> = self.knobs.iter().map(|knob| (knob.name(), evidence.knob_value(knob))).collect();
        let met = held.iter().any(|(_, held)| held.is_ok_and(|held| (self.is)(wanted, held, config)));
        let shown: Vec<String> = held.iter().map(|(name, held)| shown(name, *held)).collect();
        out.expect(self.at, met, wanted.to_string(), shown);
    }
}

fn shown(name: &str, held: Result<&KnobValue, &String>) -> String {
    match held {
        Ok(held) => format!("{name}: {}", held.text.replace('\n', ", ")),
        Err(why) => why.clone(),
    }
}

/// The rule of a member: id, clauses, and the member itself.
macro_rules! rule {
    ($name:ident, $id:literal, $cites:expr, $member:expr) => {
        const $name: plimsoll_engine::check::Rule = {
            const MEMBER: crate::resources::values::Member = $member;
            plimsoll_engine::check::Rule::by_host($id, $cites, |config, evidence, out| {
                MEMBER.judge(config, evidence, out);
            })
            .knobs(MEMBER.knobs)
        };
    };
}

/// Cases of a rule, one a row: name, what is set at which member, the faulty runtimes.
macro_rules! cases {
    ($rule:expr, $needs:expr; $($name:literal, [$($at:expr => $value:expr),+], $faults:expr;)*) => {
        &[$(plimsoll_engine::check::Case::new($rule, $name, |r| r$(.set($at, $value))+, $faults).needs($needs)),*]
    };
}

pub(super) use {cases, rule};

/// A number as the kernel writes it.
pub(super) fn written(number: &Value) -> String {
    number.to_string()
}

/// A number as it is.
pub(super) fn number(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    held.text == written(wanted)
}

/// A number, where -1 is no limit: `max` in files of version 2, and in those of `pids` in both.
pub(super) fn number_or_max(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    if wanted.as_i64() == Some(-1) { held.text == "max" } else { held.text == written(wanted) }
}

const PAGE: i64 = 4096;

/// Bytes, of which the kernel holds whole pages; -1 is no limit.
pub(super) fn bytes(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    is_bytes(wanted.as_i64().unwrap_or_default(), held)
}

/// As [`bytes`].
pub(super) fn is_bytes(wanted: i64, held: &KnobValue) -> bool {
    match (wanted, held.version) {
        (..0, Version::One) => held.text == unlimited(),
        (..0, Version::Two) => held.text == "max",
        (_, _) => held.text == (wanted / page() * page()).to_string(),
    }
}

/// What version 1 shows for no limit: the largest number of bytes that is whole pages.
pub(super) fn unlimited() -> String {
    (i64::MAX / page() * page()).to_string()
}

/// The size of a page on this machine.
fn page() -> i64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(PAGE)
}
