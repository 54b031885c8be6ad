//! `linux.resources` of the controllers with few members: hugetlb, net_cls, net_prio, rdma.
//!
//! What net_cls and net_prio do shows in a queueing discipline or a packet filter alone, which somebody has to set up with
//! modules that few kernels have loaded; what rdma does needs a device and a program that opens it. So these three are judged
//! by what the kernel holds.

use std::fs;

use plimsoll_engine::cgroup::{Knob, KnobValue};
use plimsoll_engine::check::{Case, Scenario};
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Config;
use serde_json::{Value, json};

use super::legacy::{refused, refuses};
use super::values::{Member, cases, number, rule};

pub(super) const HUGE_AT: &str = "/linux/resources/hugepageLimits";
pub(super) const HUGE_LIMIT_AT: &str = "/linux/resources/hugepageLimits/-/limit";
const CLASS_AT: &str = "/linux/resources/network/classID";
const PRIORITIES_AT: &str = "/linux/resources/network/priorities";
const RDMA_AT: &str = "/linux/resources/rdma";

pub(super) const HUGE: Knob = Knob { controller: "hugetlb", v1: "hugetlb.2MB.limit_in_bytes", v2: "hugetlb.2MB.max" };
const RESERVED: Knob =
    Knob { controller: "hugetlb", v1: "hugetlb.2MB.rsvd.limit_in_bytes", v2: "hugetlb.2MB.rsvd.max" };
pub(super) const CLASS: Knob = Knob { controller: "net_cls", v1: "net_cls.classid", v2: "" };
pub(super) const PRIORITIES: Knob = Knob { controller: "net_prio", v1: "net_prio.ifpriomap", v2: "" };
const RDMA: Knob = Knob::of_both("rdma", "rdma.max");

pub(super) const HUGE_PAGE: u64 = 2 << 20;

/// The kernel holds whole pages.
fn huge(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let limit = wanted[0]["limit"].as_u64().unwrap_or_default();
    held.text == (limit / HUGE_PAGE * HUGE_PAGE).to_string()
}

pub(super) fn limit(bytes: u64) -> Value {
    json!([{ "pageSize": "2MB", "limit": bytes }])
}

// Either counter limits: the one of reservations is what the specification names where the kernel has it.
rule!(
    HUGE_RULE,
    "resources.hugepage.limit",
    &[
        "linux.resources.hugepage.limit-effect",
        "linux.resources.hugepage.page-size-format",
        "linux.resources.hugepage.usage-fallback",
    ],
    Member { at: HUGE_AT, knobs: &[HUGE, RESERVED], is: huge }
);

const WRONG_LIMIT: &[Fault] = &[Fault::Drop(HUGE_AT), Fault::Value(HUGE_LIMIT_AT, ValueFault::Double)];

pub(super) const HUGE_PAGES: &[Case] = cases! { &HUGE_RULE, &[Need::Knob(HUGE)];
    "one-page", [HUGE_AT => limit(HUGE_PAGE)], WRONG_LIMIT;
    "none", [HUGE_AT => limit(0)], &[Fault::Drop(HUGE_AT), Fault::Take(HUGE_AT, r#"[{"pageSize":"2MB","limit":2097152}]"#)];
    "last-byte-of-a-page", [HUGE_AT => limit(4 * HUGE_PAGE - 1)],
        &[Fault::Drop(HUGE_AT), Fault::Value(HUGE_LIMIT_AT, ValueFault::OffByOne), Fault::Beside];
};

rule!(
    RESERVED_RULE,
    "resources.hugepage.reservation",
    &["linux.resources.hugepage.reservation-limit"],
    Member { at: HUGE_AT, knobs: &[RESERVED], is: huge }
);

pub(super) const RESERVATIONS: &[Case] = &[Case::new(
    &RESERVED_RULE,
    "some",
    |r| r.set(HUGE_AT, limit(4 * HUGE_PAGE)),
    &[Fault::Drop(HUGE_AT), Fault::Value(HUGE_LIMIT_AT, ValueFault::Double)],
)
.needs(&[Need::Knob(RESERVED)])];

rule!(
    CLASS_RULE,
    "resources.network.class-id",
    &["linux.resources.network.class-id"],
    Member { at: CLASS_AT, knobs: &[CLASS], is: number }
);

pub(super) const CLASSES: &[Case] = cases! { &CLASS_RULE, &[Need::Knob(CLASS)];
    "some", [CLASS_AT => 1_048_577], &[Fault::Drop(CLASS_AT), Fault::Value(CLASS_AT, ValueFault::OffByOne)];
    "greatest", [CLASS_AT => u32::MAX], &[Fault::Drop(CLASS_AT), Fault::Take(CLASS_AT, "2147483647")];
};

/// Each entry is a line of the file.
fn priorities(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let entries = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().all(|entry| {
        let line = format!("{} {}", entry["name"].as_str().unwrap_or_default(), entry["priority"]);
        held.text.lines().any(|found| found == line)
    })
}

rule!(
    PRIORITIES_RULE,
    "resources.network.priorities",
    &["linux.resources.network.priorities"],
    Member { at: PRIORITIES_AT, knobs: &[PRIORITIES], is: priorities }
);

pub(super) const PRIORITY: &[Case] = cases! { &PRIORITIES_RULE, &[Need::Knob(PRIORITIES)];
    "loopback", [PRIORITIES_AT => json!([{ "name": "lo", "priority": 5 }])],
        &[Fault::Drop(PRIORITIES_AT), Fault::Take("/linux/resources/network/priorities/0/priority", "6")];
};

rule!(
    RDMA_RULE,
    "resources.rdma.limits",
    &[
        "linux.resources.rdma.key-is-device",
        "linux.resources.rdma.hca-handles",
        "linux.resources.rdma.hca-objects",
        "linux.resources.rdma.both",
    ],
    Member { at: RDMA_AT, knobs: &[RDMA], is: rdma }
);

fn rdma(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    wanted.as_object().into_iter().flatten().all(|(device, limits)| {
        let mine = held.text.lines().find(|line| line.split(' ').next() == Some(device.as_str())).unwrap_or_default();
        let has = |name: &str, key: &str| {
            limits.get(name).is_none_or(|count| mine.split(' ').any(|word| word == format!("{key}={count}")))
        };
        has("hcaHandles", "hca_handle") && has("hcaObjects", "hca_object")
    })
}

/// The first device for remote memory access of the host.
fn device() -> String {
    let first = fs::read_dir("/sys/class/infiniband").ok().and_then(|mut entries| entries.next()?.ok());
    first.map(|entry| entry.file_name().to_string_lossy().into_owned()).unwrap_or_default()
}

pub(super) const RDMA_LIMITS: &[Case] = cases! { &RDMA_RULE, &[Need::Knob(RDMA), Need::RdmaDevice];
    "both", [RDMA_AT => json!({ device(): { "hcaHandles": 3, "hcaObjects": 10_000 } })], &[Fault::Drop(RDMA_AT)];
    "handles", [RDMA_AT => json!({ device(): { "hcaHandles": 3 } })], &[Fault::Drop(RDMA_AT)];
    "objects", [RDMA_AT => json!({ device(): { "hcaObjects": 10_000 } })], &[Fault::Drop(RDMA_AT)];
};

const ACCEPTED: &[Fault] = &[Fault::Succeed(Op::Create), Fault::Ignore(Op::Create)];

/// What cannot be limited because it is not there.
pub(super) const NOT_THERE: &[Scenario] = refused! {
    &[Need::HostView, Need::Knob(HUGE)], &["linux.resources.hugepage.page-size-format", "config.values.invalid-error"];
    "resources.hugepage.page-size/no-size-of-the-kernel",
        json!({ "hugepageLimits": [{ "pageSize": "3MB", "limit": 6 << 20 }] });
    "resources.hugepage.page-size/unit-of-another-kind",
        json!({ "hugepageLimits": [{ "pageSize": "2MiB", "limit": 4 << 20 }] });
};

pub(super) const NO_DEVICE: &[Scenario] = &[Scenario::new(
    "resources.rdma.limits/no-such-device",
    &["linux.resources.rdma.key-is-device"],
    ACCEPTED,
    |lab, out| {
        let bundle = lab.bundle(|r| r.set(RDMA_AT, json!({ "plimsoll0": { "hcaHandles": 3, "hcaObjects": 10 } })))?;
        crate::refusal::by_create(lab, out, &bundle)
    },
)
.needs(&[Need::Knob(RDMA)])];
