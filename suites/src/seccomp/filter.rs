//! What a filter has to do with a call, computed from the configuration, and the calls that show whether it does. The
//! calls are harmless: they name a file descriptor that is not open.

use nix::errno::Errno;
use nix::libc;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Answer, Ask, Refused, Reply};
use serde_json::{Value, json};

pub(crate) const SECCOMP: &str = "/linux/seccomp";

/// Calls that nothing in the probe makes by itself, with three arguments at least, the first a descriptor.
pub(super) const CALLS: [(&str, i64); 2] =
    [("readahead", libc::SYS_readahead), ("sync_file_range", libc::SYS_sync_file_range)];

/// Every call that some runtime may have to make before the program runs, or the probe may make: all of x86-64 and its
/// successors but those in [`CALLS`].
const OTHERS: &str = include_str!("../../data/syscalls.txt");

/// No such descriptor is open in a new container, whatever the low or the high half of the number is taken for.
const NOT_OPEN: u64 = 0x7000;

/// An error number that the kernel gives for neither call.
pub(crate) const UNUSUAL: i32 = libc::EBADFD;

/// A filter that lets through all but the calls that this rule is for.
pub(crate) fn with_rule(rule: &Value) -> Value {
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule] })
}

/// The calls that an allow list needs for a container to run.
fn others() -> Vec<&'static str> {
    OTHERS.lines().collect()
}

/// A list of all other calls is allowed, and the action is for the rest.
pub(crate) fn by_default(action: &str, errno: Option<i32>) -> Value {
    let allowed = json!([{ "names": others(), "action": "SCMP_ACT_ALLOW" }]);
    let mut seccomp = json!({ "defaultAction": action, "syscalls": allowed });
    if let Some(errno) = errno {
        seccomp["defaultErrnoRet"] = errno.into();
    }
    seccomp
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Through,
    Fails(i32),
    Killed,
}

impl Describe for Fate {
    fn describe(&self) -> String {
        match self {
            Self::Through => "the kernel carries it out".to_owned(),
            Self::Fails(errno) => Errno::from_raw(*errno).describe(),
            Self::Killed => "killed by a signal".to_owned(),
        }
    }
}

/// The fate that the filter of a configuration decides on.
fn fate(config: &Config, name: &str, arguments: &[u64]) -> Fate {
    let rules = config.list("/linux/seccomp/syscalls");
    let takes = |rule: &&Value| names(rule).any(|known| known == name) && all_match(rule, arguments);
    match rules.iter().find(takes) {
        Some(rule) => of_action(&rule["action"], &rule["errnoRet"]),
        None => {
            let seccomp = config.get(SECCOMP).unwrap_or(&Value::Null);
            of_action(&seccomp["defaultAction"], &seccomp["defaultErrnoRet"])
        }
    }
}

fn names(rule: &Value) -> impl Iterator<Item = &str> {
    rule["names"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn of_action(action: &Value, errno: &Value) -> Fate {
    let errno = |otherwise| errno.as_i64().and_then(|errno| i32::try_from(errno).ok()).unwrap_or(otherwise);
    match action.as_str().unwrap_or_default() {
        "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG" => Fate::Through,
        "SCMP_ACT_ERRNO" => Fate::Fails(errno(libc::EPERM)),
        // Nobody traces the probe.
        "SCMP_ACT_TRACE" => Fate::Fails(libc::ENOSYS),
        _ => Fate::Killed,
    }
}

fn all_match(rule: &Value, arguments: &[u64]) -> bool {
    rule["args"].as_array().into_iter().flatten().all(|compared| {
        let number = |name: &str| compared[name].as_u64().unwrap_or(0);
        let index = usize::try_from(number("index")).unwrap_or(usize::MAX);
        arguments.get(index).is_some_and(|&argument| {
            compare(compared["op"].as_str().unwrap_or_default(), argument, number("value"), number("valueTwo"))
        })
    })
}

/// As the kernel compares: 64 bits, unsigned.
fn compare(op: &str, argument: u64, value: u64, value_two: u64) -> bool {
    match op {
        "SCMP_CMP_NE" => argument != value,
        "SCMP_CMP_LT" => argument < value,
        "SCMP_CMP_LE" => argument <= value,
        "SCMP_CMP_EQ" => argument == value,
        "SCMP_CMP_GE" => argument >= value,
        "SCMP_CMP_GT" => argument > value,
        "SCMP_CMP_MASKED_EQ" => argument & value == value_two,
        other => panic!("{other} is no operator"),
    }
}

/// The calls that tell a filter from one that is a little different: each compared argument below, at and above its
/// value, and with other high and low halves.
fn arguments(config: &Config) -> Vec<Vec<u64>> {
    let mut all = vec![vec![NOT_OPEN, 0, 0]];
    for compared in config.list("/linux/seccomp/syscalls").iter().flat_map(|rule| rule["args"].as_array()).flatten() {
        let number = |name: &str| compared[name].as_u64().unwrap_or(0);
        let index = usize::try_from(number("index")).unwrap_or(0);
        for datum in [number("value"), number("valueTwo")] {
            let near =
                [datum.wrapping_sub(1), datum, datum.wrapping_add(1), datum ^ (1 << 32), datum ^ (1 << 63), u64::MAX];
            for argument in near {
                let known = all.clone();
                all.extend(known.into_iter().filter(|call| call[index] == 0 || index == 0).map(|mut call| {
                    call[index] = argument;
                    call
                }));
                all.sort_unstable();
                all.dedup();
            }
        }
    }
    all
}

/// One question for each call.
pub(crate) fn asks(config: &Config) -> Vec<Ask> {
    calls(config).into_iter().map(|(_, ask, _)| ask).collect()
}

fn calls(config: &Config) -> Vec<(String, Ask, Fate)> {
    let mut all = Vec::new();
    for arguments in arguments(config) {
        for (name, number) in CALLS {
            let ask = Ask::Syscall { number, arguments: arguments.clone() };
            all.push((format!("{name}{arguments:x?}"), ask, fate(config, name, &arguments)));
        }
    }
    all
}

/// Each call meets the fate that the configuration decides on.
pub(crate) fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for (what, ask, fate) in calls(config) {
        let answer = evidence.inside.get(&ask).cloned().map_err(Refused::clone);
        out.expect(&what, observed(&answer) == Some(fate), fate.describe(), &answer);
    }
}

fn observed(answer: &Answer) -> Option<Fate> {
    match answer {
        // A descriptor that is none of a file, or that is not open at all.
        Err(refused) if matches!(refused.errno, libc::EBADF | libc::EINVAL | libc::ESPIPE) => Some(Fate::Through),
        Err(refused) => Some(Fate::Fails(refused.errno)),
        Ok(Reply::Count(end)) if *end == -i64::from(1000 + libc::SIGSYS) => Some(Fate::Killed),
        Ok(_) => None,
    }
}
