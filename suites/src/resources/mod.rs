//! `linux.resources`: limits of the container's control group, by what the kernel holds and by what they do
//! (`config-linux.md`, from `#control-groups` to `#unified`).

mod block_io;
pub(crate) mod cpu;
mod cpu_effects;
mod delegation;
mod devices;
mod disk;
mod effect;
mod huge_pages;
mod invalid;
mod legacy;
mod memory;
mod optional;
mod others;
mod own_cgroup;
mod ownership;
mod pids;
mod pod;
mod unified;
mod values;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    block_io::READS,
    block_io::READ_CALLS,
    block_io::WEIGHTS,
    block_io::WRITES,
    block_io::WRITE_CALLS,
    cpu::BURSTS,
    cpu::IDLES,
    cpu::NODES,
    cpu::PERIODS,
    cpu::PROCESSORS,
    cpu::QUOTAS,
    cpu::SHARE,
    devices::CASES,
    devices::MADE,
    devices::NOT_MADE,
    devices::OPTIONAL,
    effect::CASES,
    memory::KERNEL_TCP,
    memory::KILLER,
    memory::LIMIT,
    memory::RESERVATION,
    memory::SWAPPINESSES,
    memory::SWAPS,
    memory::USE_HIERARCHY,
    optional::ABSENT,
    optional::CASES,
    others::CLASSES,
    others::HUGE_PAGES,
    others::PRIORITY,
    others::RDMA_LIMITS,
    others::RESERVATIONS,
    pids::LIMIT,
    pids::UNLIMITED,
    unified::KEYS,
    unified::SEVERAL,
];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    delegation::SCENARIOS,
    devices::HARD,
    disk::SCENARIOS,
    effect::SCENARIOS,
    huge_pages::SCENARIOS,
    invalid::SCENARIOS,
    legacy::BURST,
    legacy::CONVERTED,
    legacy::INVALID,
    legacy::SWAP,
    legacy::WITHOUT_COUNTERPART,
    others::NO_DEVICE,
    others::NOT_THERE,
    ownership::SCENARIOS,
    ownership::STAYS,
    pids::SCENARIOS,
    own_cgroup::SCENARIOS,
    cpu_effects::SCENARIOS,
    unified::BOUND,
    unified::REFUSED,
    unified::SCENARIOS,
];
