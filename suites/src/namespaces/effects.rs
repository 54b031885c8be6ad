//! The effect of a new namespace of each type, as the program in it sees it.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Ask, Reply};

use super::LIST;

/// The program is the init process, and sees no other.
const PID: Rule = Rule::new(
    "namespaces.pid.init",
    &["linux.namespaces.type-pid", "linux.namespaces.no-path-new"],
    |_| vec![Ask::Session, Ask::List("/proc".into())],
    |_, evidence, out| {
        match evidence.inside.get(&Ask::Session) {
            Ok(Reply::Session(session)) => out.expect_eq("process id of the program", session.pid, 1),
            other => out.expect("process id of the program", false, "1", other),
        }
        let names = evidence.inside.list("/proc").cloned().unwrap_or_default();
        let processes: Vec<String> = names.into_iter().filter(|name| name.parse::<u32>().is_ok()).collect();
        out.expect_eq("processes in /proc", processes, ["1"]);
    },
);

/// A new network is not that of the runtime's caller, has a loopback device, and none that leads out. The kernel may add ends
/// of tunnels that are down.
const NETWORK: Rule = Rule::new(
    "namespaces.network.only-loopback",
    &["linux.namespaces.type-network", "linux.namespaces.no-path-new"],
    |_| vec![Ask::Interfaces, Ask::Namespaces],
    |_, evidence, out| match evidence.inside.get(&Ask::Interfaces) {
        Ok(Reply::Map(interfaces)) => {
            let own = std::fs::read_link("/proc/self/ns/net").unwrap_or_default();
            let inside = evidence.inside.namespaces().map(|all| all.get("net").cloned().unwrap_or_default());
            out.expect("network namespace", inside != Ok(own.to_string_lossy().into_owned()), "a new one", inside);
            out.expect("interfaces", interfaces.contains_key("lo"), "lo among them", interfaces);
            let up = |flags: &str| flags.parse::<i32>().is_ok_and(|flags| flags & nix::libc::IFF_UP != 0);
            let others: Vec<&String> =
                interfaces.iter().filter(|(name, flags)| *name != "lo" && up(flags)).map(|(name, _)| name).collect();
            out.expect("interfaces that are up, but for lo", others.is_empty(), "none", others);
        }
        other => out.expect("interfaces", false, "an answer", other),
    },
);

/// Seen from within, the control group of the container is the root of each hierarchy.
const CGROUP: Rule = Rule::new(
    "namespaces.cgroup.own-group-is-the-root",
    &["linux.namespaces.type-cgroup", "linux.namespaces.no-path-new"],
    |_| vec![Ask::Read("/proc/self/cgroup".into())],
    |_, evidence, out| {
        let text = evidence.inside.read("/proc/self/cgroup").map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let text = text.unwrap_or_default();
        out.expect("/proc/self/cgroup", !text.is_empty(), "a line for each hierarchy", &text);
        let elsewhere: Vec<&str> = text.lines().filter(|line| !line.ends_with(":/")).collect();
        out.expect("groups", elsewhere.is_empty(), "`/` in each hierarchy", elsewhere);
    },
);

/// The name of the host in the container is its own to change; the guard watches that of the host.
const UTS: Rule = Rule::new(
    "namespaces.uts.own-name",
    &["linux.namespaces.type-uts"],
    |_| vec![written(), Ask::Read(NAME.into())],
    |_: &Config, evidence, out| {
        out.expect(
            "writing the host name",
            evidence.inside.get(&written()).is_ok(),
            "works",
            evidence.inside.get(&written()),
        );
        out.expect_eq("the host name", evidence.inside.read(NAME), Ok(&b"of-the-container\n".to_vec()));
        let host = nix::sys::utsname::uname().map(|names| names.nodename().to_string_lossy().into_owned());
        out.expect("that of the harness", host.as_deref() != Ok("of-the-container"), "as before", host);
    },
);

const NAME: &str = "/proc/sys/kernel/hostname";

fn written() -> Ask {
    Ask::Write { path: NAME.into(), data: "of-the-container".into() }
}

pub(super) const CASES: &[Case] = &[
    Case::new(&PID, "new", |r| r, &[Fault::Drop("/linux/namespaces/0")]),
    Case::new(&NETWORK, "new", |r| r.new_namespace("network"), &[Fault::DropLast(LIST)]),
    Case::new(&CGROUP, "new", |r| r.new_namespace("cgroup"), &[Fault::DropLast(LIST)])
        .needs(&[Need::Namespace("cgroup"), Need::HostView]),
    Case::new(&UTS, "new", |r| r, &[Fault::Drop("/linux/namespaces/2")]),
];
