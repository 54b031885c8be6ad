//! `process.capabilities`: what the kernel permits with each capability, and denies without it.

use nix::libc;
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::host::CAPABILITIES;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Ask, Refused};

use super::capabilities::{HELD, after_exec, only};

/// Each thing that takes a capability works with it, and is denied without.
const EFFECT: Rule = Rule::new(
    "process.capabilities.effect",
    &["config.process.capabilities-effective"],
    |_| PRIVILEGED.iter().map(|(_, _, ask)| ask()).collect(),
    |config, evidence, out| {
        for (capability, what, ask) in PRIVILEGED {
            let result = evidence.inside.get(&ask());
            let (met, expected) = if holds(config, capability) {
                (result.is_ok(), "allowed")
            } else {
                (result.is_err_and(Refused::is_denial), "denied")
            };
            out.expect(&format!("{what} ({capability})"), met, expected, result);
        }
    },
);

fn holds(config: &Config, capability: &str) -> bool {
    let bit = CAPABILITIES.iter().position(|known| *known == capability);
    bit.is_some_and(|bit| after_exec(config).effective >> bit & 1 == 1)
}

type Privileged = (&'static str, &'static str, fn() -> Ask);

/// What root can do only with a capability, whatever the container's namespaces and filters.
const PRIVILEGED: &[Privileged] = &[
    ("CAP_MKNOD", "making a device node", || Ask::Mknod { path: "/tmp/node".into(), kind: 'c', major: 1, minor: 3 }),
    ("CAP_SETUID", "becoming another user", || syscall(libc::SYS_setuid, &[1234])),
    ("CAP_SETGID", "joining another group", || syscall(libc::SYS_setgid, &[1234])),
    ("CAP_NET_RAW", "opening a raw socket", || syscall(libc::SYS_socket, &[2, 3, 1])),
    // The highest, which is above that of the caller of the harness.
    ("CAP_SYS_NICE", "raising the priority", || syscall(libc::SYS_setpriority, &[0, 0, (-20_i64).cast_unsigned()])),
];

fn syscall(number: i64, arguments: &[u64]) -> Ask {
    Ask::Syscall { number, arguments: arguments.to_vec() }
}

macro_rules! lacking {
    ($($name:literal $($capability:literal)*;)*) => {
        &[$(Case::new(
            &EFFECT,
            $name,
            |r| only(r, HELD, &[$($capability),*]),
            &[Fault::Drop("/process/capabilities/bounding/0"), Fault::Drop("/process/capabilities")],
        )),*]
    };
}

pub(super) const NONE: &[Case] = &[Case::new(
    &EFFECT,
    "none",
    |r| only(r, &[], &[]),
    &[Fault::Take("/process/capabilities", r#"{ "bounding": ["CAP_SETUID"], "permitted": ["CAP_SETUID"] }"#)],
)];

pub(super) const SOME: &[Case] = lacking! {
    "mknod" "CAP_MKNOD";
    "setuid" "CAP_SETUID";
    "setgid" "CAP_SETGID";
    "net-raw" "CAP_NET_RAW";
    "sys-nice" "CAP_SYS_NICE";
    "setuid-and-setgid" "CAP_SETUID" "CAP_SETGID";
};
