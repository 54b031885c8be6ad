//! `process.capabilities`: each capability of the kernel alone.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;

use super::capabilities::{HELD, INSIDE, only};

/// A capability is known by its name, and given alone.
const EACH: Rule = Rule { id: "process.capabilities.each", cites: &["config.process.capabilities-names"], ..INSIDE };

macro_rules! each {
    ($($name:literal $capability:literal)*) => {
        &[$(Case::new(
            &EACH,
            $name,
            |r| only(r, HELD, &[$capability]),
            &[
                Fault::Drop("/process/capabilities/bounding/0"),
                Fault::Take("/process/capabilities", concat!("{ \"bounding\": [\"", $capability, "\"] }")),
            ],
        ).needs(&[Need::Capability($capability)])),*]
    };
}

pub(super) const CASES: &[Case] = each! {
    "chown" "CAP_CHOWN"
    "dac-override" "CAP_DAC_OVERRIDE"
    "dac-read-search" "CAP_DAC_READ_SEARCH"
    "fowner" "CAP_FOWNER"
    "fsetid" "CAP_FSETID"
    "kill" "CAP_KILL"
    "setgid" "CAP_SETGID"
    "setuid" "CAP_SETUID"
    "setpcap" "CAP_SETPCAP"
    "linux-immutable" "CAP_LINUX_IMMUTABLE"
    "net-bind-service" "CAP_NET_BIND_SERVICE"
    "net-broadcast" "CAP_NET_BROADCAST"
    "net-admin" "CAP_NET_ADMIN"
    "net-raw" "CAP_NET_RAW"
    "ipc-lock" "CAP_IPC_LOCK"
    "ipc-owner" "CAP_IPC_OWNER"
    "sys-module" "CAP_SYS_MODULE"
    "sys-rawio" "CAP_SYS_RAWIO"
    "sys-chroot" "CAP_SYS_CHROOT"
    "sys-ptrace" "CAP_SYS_PTRACE"
    "sys-pacct" "CAP_SYS_PACCT"
    "sys-admin" "CAP_SYS_ADMIN"
    "sys-boot" "CAP_SYS_BOOT"
    "sys-nice" "CAP_SYS_NICE"
    "sys-resource" "CAP_SYS_RESOURCE"
    "sys-time" "CAP_SYS_TIME"
    "sys-tty-config" "CAP_SYS_TTY_CONFIG"
    "mknod" "CAP_MKNOD"
    "lease" "CAP_LEASE"
    "audit-write" "CAP_AUDIT_WRITE"
    "audit-control" "CAP_AUDIT_CONTROL"
    "setfcap" "CAP_SETFCAP"
    "mac-override" "CAP_MAC_OVERRIDE"
    "mac-admin" "CAP_MAC_ADMIN"
    "syslog" "CAP_SYSLOG"
    "wake-alarm" "CAP_WAKE_ALARM"
    "block-suspend" "CAP_BLOCK_SUSPEND"
    "audit-read" "CAP_AUDIT_READ"
    "perfmon" "CAP_PERFMON"
    "bpf" "CAP_BPF"
    "checkpoint-restore" "CAP_CHECKPOINT_RESTORE"
};
