//! What is made in a namespace is not visible outside of it, and is visible to those who joined it.

use nix::libc;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::path;
use plimsoll_engine::need::Need;
use plimsoll_engine::saved_mounts;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Answer, Ask, Reply};
use plimsoll_foreign::read;
use serde_json::json;

pub(super) const SCENARIOS: &[Scenario] = &[MOUNTS, SYSTEM_V, POSIX_QUEUES, SOCKETS];

const MOUNTS: Scenario = Scenario::new(
    "namespaces.mount.mounts-stay-inside",
    &["linux.namespaces.type-mount", "linux.namespaces.no-path-new"],
    &[Fault::Drop("/linux/namespaces/3")],
    |lab, out| {
        let container = lab.running(|r| r.directory("/data").mount("/data", "tmpfs", "tmpfs", &[]))?;
        out.expect("/data inside", container.observe()?.mount_at("/data").is_some(), "a mount", "none");
        let rootfs = container.bundle.rootfs().to_string_lossy().into_owned();
        let seen: Vec<String> = saved_mounts::mounts()?
            .into_iter()
            .map(|mount| mount.point)
            .filter(|point| point.starts_with(&rootfs))
            .collect();
        out.expect("mounts of the container outside", seen.is_empty(), "none", seen);
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView]);

const QUEUES: &str = "/proc/sysvipc/msg";

/// A message queue is made inside by `msgget(2)`. Should it be one of the host, it is removed by the same container.
const SYSTEM_V: Scenario = Scenario::new(
    "namespaces.ipc.system-v-stays-inside",
    &["linux.namespaces.type-ipc", "linux.namespaces.no-path-new"],
    &[Fault::Drop("/linux/namespaces/1")],
    |lab, out| {
        let container = lab.running(|r| r)?;
        let (key, flags) = (0x504c_4d53_u64, libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
        let made = container.ask(call(libc::SYS_msgget, &[key, u64::from(flags.unsigned_abs())]))?;
        let Ok(Reply::Count(queue)) = made else {
            return Err(Stop::broken("msgget inside", "a new queue", made.describe()));
        };
        let outside = read::kernel(QUEUES)?;
        out.expect("queues outside", !lists(&outside, key), "not that of the container", outside);
        let remove = [queue.unsigned_abs(), u64::from(libc::IPC_RMID.unsigned_abs()), 0];
        let removed = container.ask(call(libc::SYS_msgctl, &remove))?;
        out.expect("msgctl inside", removed.is_ok(), "the queue is removed", removed);
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView]);

fn call(number: libc::c_long, arguments: &[u64]) -> Ask {
    Ask::Syscall { number, arguments: arguments.to_vec() }
}

fn lists(text: &str, key: u64) -> bool {
    text.lines().any(|line| line.split_whitespace().next() == Some(key.to_string().as_str()))
}

const POSIX_QUEUES: Scenario = Scenario::new(
    "namespaces.ipc.posix-queues-stay-inside",
    &["linux.namespaces.type-ipc", "linux.namespaces.no-path-new"],
    &[Fault::Drop("/linux/namespaces/1"), Fault::Drop("/linux/namespaces/3/path")],
    posix_queues,
)
.needs(&[Need::HostView, Need::Filesystem("mqueue")]);

fn posix_queues(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    // Small queues: a user may have only so many bytes of them, and the kernel gives back those of a namespace later.
    let small = json!({ "fs.mqueue.msg_default": "1", "fs.mqueue.msgsize_default": "128" });
    let maker = lab.running(|r| r.set("/linux/sysctl", small))?;
    let queue = format!("/dev/mqueue/{}", lab.tag);
    let made = maker.ask(Ask::Open { path: queue.clone(), flags: libc::O_CREAT | libc::O_RDWR })?;
    out.expect_eq("making a queue inside", made, Ok(Reply::Done));
    let entry = json!({ "type": "ipc", "path": path(maker.pid, "ipc") });
    let joined = lab.running(|r: &mut Recipe| r.inherit_namespace("ipc").push("/linux/namespaces", entry))?;
    let apart = lab.running(|r| r)?;
    let seen = |answer: Answer| matches!(answer, Ok(Reply::Names(names)) if names.contains(&lab.tag));
    let list = || Ask::List("/dev/mqueue".into());
    out.expect_eq("whether one that joined the namespace sees it", seen(joined.ask(list())?), true);
    out.expect_eq("whether one with a namespace of its own sees it", seen(apart.ask(list())?), false);
    [apart, joined, maker].iter().try_for_each(plimsoll_engine::container::Container::finish_and_delete)
}

/// Sockets with abstract names belong to the network namespace, whatever the filesystem.
const SOCKETS: Scenario = Scenario::new(
    "namespaces.network.sockets-of-the-host",
    &["linux.namespaces.type-network", "linux.namespaces.no-path-new"],
    &[Fault::DropLast("/linux/namespaces")],
    |lab, out| {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&lab.tag)?;
        let _socket = std::os::unix::net::UnixListener::bind_addr(&address)?;
        let shared = lab.running(|r| r)?;
        let apart = lab.running(|r| r.new_namespace("network"))?;
        let list = || Ask::Read("/proc/net/unix".into());
        let seen = |answer: Answer| match answer {
            Ok(Reply::Bytes(bytes)) => Some(String::from_utf8_lossy(&bytes).contains(&format!("@{}", lab.tag))),
            _ => None,
        };
        out.expect_eq("whether it is seen in the network of the host", seen(shared.ask(list())?), Some(true));
        out.expect_eq("whether it is seen in another network", seen(apart.ask(list())?), Some(false));
        apart.finish_and_delete()?;
        shared.finish_and_delete()
    },
)
.needs(&[Need::HostView]);
