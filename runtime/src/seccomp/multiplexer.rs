//! System calls that have two ways into the kernel: by their own number, and through socketcall(2) or ipc(2).
//!
//! A rule for `socket` that did not see `socketcall(SYS_SOCKET, …)` could be walked around on the architectures that
//! have it. Only rules without conditions reach through: arguments that lie in memory cannot be compared.

use crate::config::{Argument, Operator};

/// A multiplexing call, the mask of the number in its first argument, and the calls behind it.
struct Multiplexer {
    name: &'static str,
    mask: u64,
    calls: &'static [(u64, &'static str)],
}

/// `linux/net.h` and `linux/ipc.h`. The high bits of the first argument of ipc(2) are a version.
const MULTIPLEXERS: [Multiplexer; 2] = [
    Multiplexer {
        name: "socketcall",
        mask: 0xffff_ffff,
        calls: &[
            (1, "socket"),
            (2, "bind"),
            (3, "connect"),
            (4, "listen"),
            (5, "accept"),
            (6, "getsockname"),
            (7, "getpeername"),
            (8, "socketpair"),
            (9, "send"),
            (10, "recv"),
            (11, "sendto"),
            (12, "recvfrom"),
            (13, "shutdown"),
            (14, "setsockopt"),
            (15, "getsockopt"),
            (16, "sendmsg"),
            (17, "recvmsg"),
            (18, "accept4"),
            (19, "recvmmsg"),
            (20, "sendmmsg"),
        ],
    },
    Multiplexer {
        name: "ipc",
        mask: 0xffff,
        calls: &[
            (1, "semop"),
            (2, "semget"),
            (3, "semctl"),
            (4, "semtimedop"),
            (11, "msgsnd"),
            (12, "msgrcv"),
            (13, "msgget"),
            (14, "msgctl"),
            (21, "shmat"),
            (22, "shmdt"),
            (23, "shmget"),
            (24, "shmctl"),
        ],
    },
];

/// The calls behind a multiplexing call, each with the condition on its argument; none for every other call.
pub(super) fn behind(name: &str) -> impl Iterator<Item = (Argument, &'static str)> {
    let found = MULTIPLEXERS.iter().find(|multiplexer| multiplexer.name == name);
    found.into_iter().flat_map(|multiplexer| {
        let condition =
            |call| Argument { index: 0, value: multiplexer.mask, value_two: call, op: Operator::MaskedEqual };
        multiplexer.calls.iter().map(move |(call, name)| (condition(*call), *name))
    })
}
