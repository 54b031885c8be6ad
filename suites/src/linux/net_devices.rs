//! `linux.netDevices`: devices that move into the container (`config-linux.md#network-devices`). They are made in a network namespace of
//! the check, in place of that of the host.

use std::net::{Ipv4Addr, Ipv6Addr};

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::{Fault, NetworkFault};
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::path;
use plimsoll_engine::need::Need;
use plimsoll_engine::network::{Address, Device, Network, Stack};
use plimsoll_fixtures::Recipe;
use serde_json::{Value, json};

use crate::refusal;

const DEVICES: &str = "/linux/netDevices";
/// A device as the host calls it, and the name that some checks give it.
const OWN: &str = "plimsoll0";
const NEW: &str = "ctr0";
const NAME: &str = "/linux/netDevices/plimsoll0/name";
const HOST: &[Need] = &[Need::HostView, Need::Capability("CAP_NET_ADMIN")];

/// One scenario a row: id, clauses, the faults that turn it red, and the scenario.
macro_rules! scenarios {
    ($($id:literal, [$($clause:literal),*], $proves:expr, $run:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.net-devices.", $id),
            &[$(concat!("linux.net-devices.", $clause)),*],
            $proves,
            $run,
        ).needs(HOST)),*]
    };
}

/// A container in a new network namespace with these devices, and what is in that.
fn moved<'l>(lab: &'l Lab<'_>, devices: &Value) -> StepResult<(Container<'l>, Stack)> {
    let container = lab.running(|r| r.new_namespace("network").set(DEVICES, devices))?;
    let inside = Stack::at(&path(container.pid, "network"))?;
    Ok((container, inside))
}

pub(super) const MOVED: &[Scenario] = scenarios! {
    "moved/under-its-own-name", ["available", "key-is-host-name", "name-default", "only-moves-existing"],
        &[Fault::Drop(DEVICES), Fault::Take(NAME, "\"ctr0\"")], |lab, out| {
            let host = lab.network()?;
            host.add(OWN)?;
            host.add("plimsoll1")?;
            let (container, inside) = moved(lab, &json!({ OWN: {} }))?;
            out.expect_eq("devices inside", but_lo(&inside)?, [OWN]);
            out.expect("devices of the host", !but_lo(&host)?.contains(&OWN.to_owned()), "one less", but_lo(&host)?);
            out.expect("the other device", host.device("plimsoll1").is_ok(), "still on the host", but_lo(&host)?);
            out.expect_eq("additional addresses", inside.device(OWN)?.given(), Vec::<String>::new());
            container.finish_and_delete()?;
            out.expect("the device after delete", host.device(OWN).is_err(), "gone with its namespace", but_lo(&host)?);
            Ok(())
        };
    "moved/under-another-name", ["available", "name-rename"],
        &[Fault::Drop(NAME), Fault::Take(NAME, "\"ctr1\""), Fault::Drop(DEVICES)], |lab, out| {
            let host = lab.network()?;
            host.add(OWN)?;
            let (container, inside) = moved(lab, &json!({ OWN: { "name": NEW } }))?;
            out.expect_eq("devices inside", but_lo(&inside)?, [NEW]);
            out.expect("the device on the host", host.device(OWN).is_err(), "gone", but_lo(&host)?);
            container.finish_and_delete()
        };
    "moved/two-that-exchange-names", ["available", "key-is-host-name", "name-rename"],
        &[Fault::Drop(NAME), Fault::Drop("/linux/netDevices/plimsoll1")], |lab, out| {
            let host = lab.network()?;
            let (first, second) = (host.add(OWN)?, host.add("plimsoll1")?);
            let devices = json!({ OWN: { "name": "plimsoll1" }, "plimsoll1": { "name": OWN } });
            let (container, inside) = moved(lab, &devices)?;
            out.expect_eq("hardware address of plimsoll1", inside.device("plimsoll1")?.hardware, first.hardware);
            out.expect_eq("hardware address of plimsoll0", inside.device(OWN)?.hardware, second.hardware);
            container.finish_and_delete()
        };
    "template/first-free-name", ["template-allowed", "template-kernel-name"],
        &[Fault::Take(NAME, "\"eth7\""), Fault::Drop(NAME)], |lab, out| {
            let host = lab.network()?;
            host.add(OWN)?;
            let (container, inside) = moved(lab, &json!({ OWN: { "name": "eth%d" } }))?;
            out.expect_eq("devices inside", but_lo(&inside)?, ["eth0"]);
            container.finish_and_delete()
        };
    "template/next-to-one-that-is-there", ["template-allowed", "template-kernel-name"],
        &[Fault::Take(NAME, "\"eth7\""), Fault::Drop(NAME)], |lab, out| {
            let host = lab.network()?;
            let device = host.add(OWN)?;
            joined(lab, &host, "eth0", &json!({ OWN: { "name": "eth%d" } }), |inside| {
                out.expect_eq("devices inside", but_lo(inside)?, ["eth0", "eth1"]);
                out.expect_eq("hardware address of eth1", inside.device("eth1")?.hardware, device.hardware);
                Ok(())
            })
        };
    "attributes/kept", ["attributes-preserved", "available"], &[Fault::Network(NetworkFault::Resized), Fault::Drop(DEVICES)],
        |lab, out| {
            let host = lab.network()?;
            host.shape(&host.add(OWN)?)?;
            let before = host.device(OWN)?;
            let (container, inside) = moved(lab, &json!({ OWN: { "name": NEW } }))?;
            out.expect_eq("attributes inside", inside.device(NEW)?.attributes(), before.attributes());
            container.finish_and_delete()
        };
    "state/switched-up-though-it-was-down", ["set-up", "available"], &[Fault::Network(NetworkFault::Down), Fault::Drop(DEVICES)],
        |lab, out| switched_up(lab, out, false);
    "state/switched-up-again", ["set-up", "available"], &[Fault::Network(NetworkFault::Down), Fault::Drop(DEVICES)],
        |lab, out| switched_up(lab, out, true);
    "state/left-alone-after-the-move", ["no-management-inside", "available"], &[Fault::Network(NetworkFault::UpAgain)], |lab, out| {
        let host = lab.network()?;
        host.add(OWN)?;
        let container = lab.created(|r| r.new_namespace("network").set(DEVICES, json!({ OWN: {} })))?;
        let inside = Stack::at(&path(container.pid, "network"))?;
        let device = inside.device(OWN)?;
        inside.switch(&device, false)?;
        inside.give(&device, V4)?;
        let left = inside.device(OWN)?;
        container.started()?;
        container.state()?;
        out.expect_eq("the device after start and state", inside.device(OWN)?, left);
        container.finish_and_delete()
    };
    "delete/leaves-it-in-a-joined-namespace", ["not-moved-back", "available"], &[Fault::Network(NetworkFault::Back)], |lab, out| {
        let host = lab.network()?;
        host.add(OWN)?;
        let holder = lab.hold_namespace("network")?;
        let inside = Stack::at(&holder.path("network"))?;
        let container = lab.running(|r| into(r, &holder.path("network")).set(DEVICES, json!({ OWN: {} })))?;
        container.finish_and_delete()?;
        out.expect("the device after delete", inside.device(OWN).is_ok(), "still in the namespace", but_lo(&inside)?);
        out.expect("the device on the host", host.device(OWN).is_err(), "none", but_lo(&host)?);
        Ok(())
    };
};

const V4: Address = Address::global_v4(Ipv4Addr::new(192, 0, 2, 7), 24);
const SECOND: Address = Address::global_v4(Ipv4Addr::new(198, 51, 100, 9), 28);
const V6: Address = Address::global_v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7), 64);
const UNIQUE_LOCAL: Address = Address::global_v6(Ipv6Addr::new(0xfd00, 0x70, 0, 0, 0, 0, 0, 1), 48);

/// One scenario a row: what the device has on the host, and what is to be left of it.
macro_rules! addresses {
    ($clauses:expr; $($id:literal, $given:expr, $kept:expr, $proves:expr;)*) => {
        &[$(Scenario::new(concat!("linux.net-devices.addresses/", $id), $clauses, $proves, |lab, out| {
            let host = lab.network()?;
            let device = host.add(OWN)?;
            host.switch(&device, true)?;
            $given.into_iter().try_for_each(|address: Address| host.give(&device, address))?;
            let (container, inside) = moved(lab, &json!({ OWN: { "name": NEW } }))?;
            let mut kept: Vec<Address> = $kept.into();
            kept.sort();
            let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
            out.expect_eq("addresses inside", inside.device(NEW)?.given(), kept);
            container.finish_and_delete()
        }).needs(HOST)),*]
    };
}

pub(super) const KEPT: &[Scenario] = addresses! { &["linux.net-devices.addresses-preserved", "linux.net-devices.available"];
    "version-4", [V4], [V4], &[Fault::Network(NetworkFault::NoVersion4), Fault::Network(NetworkFault::OwnAddress)];
    "version-6", [V6], [V6], &[Fault::Network(NetworkFault::NoVersion6)];
    "several-of-both", [V4, SECOND, V6, UNIQUE_LOCAL], [V4, SECOND, V6, UNIQUE_LOCAL],
        &[Fault::Network(NetworkFault::FewerAddresses), Fault::Network(NetworkFault::NoVersion6)];
};

pub(super) const NOT_CARRIED: &[Scenario] = addresses! { &["linux.net-devices.other-addresses-not-carried", "linux.net-devices.available"];
    "of-the-link", [Address::of_link(Ipv4Addr::new(169, 254, 7, 7), 16)], [],
        &[Fault::Network(NetworkFault::LinkAddress)];
    "for-a-time", [V4, Address::temporary(Ipv4Addr::new(198, 51, 100, 9), 28)], [V4],
        &[Fault::Network(NetworkFault::OwnAddress)];
};

fn switched_up(lab: &Lab<'_>, out: &mut Judgement, before: bool) -> StepResult {
    let host = lab.network()?;
    host.switch(&host.add(OWN)?, before)?;
    let (container, inside) = moved(lab, &json!({ OWN: {} }))?;
    out.expect_eq("whether the device is up", inside.device(OWN)?.up, true);
    container.finish_and_delete()
}

/// The names of all devices but the one that each network namespace has.
fn but_lo(stack: &Stack) -> StepResult<Vec<String>> {
    Ok(stack.names()?.into_iter().filter(|name| name != "lo").collect())
}

fn into<'r>(recipe: &'r mut Recipe, namespace: &str) -> &'r mut Recipe {
    recipe.push("/linux/namespaces", json!({ "type": "network", "path": namespace }))
}

/// A container that joins a network namespace in which there is a device already.
fn joined(
    lab: &Lab<'_>,
    _host: &Network,
    there: &str,
    devices: &Value,
    judge: impl FnOnce(&Stack) -> StepResult,
) -> StepResult {
    let holder = lab.hold_namespace("network")?;
    let inside = Stack::at(&holder.path("network"))?;
    inside.add(there)?;
    let container = lab.running(|r| into(r, &holder.path("network")).set(DEVICES, devices))?;
    judge(&inside)?;
    container.finish_and_delete()
}

const REFUSED: &[&str] = &["linux.net-devices.move-feasibility-check"];

/// One scenario a row: a device on the host that cannot be moved so, as what; it stays as it was.
macro_rules! refused {
    ($($id:literal, $cites:expr, $named:expr, $devices:expr, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.net-devices.refused/", $id), $cites, &[Fault::Drop(DEVICES)], |lab, out| {
                let host = lab.network()?;
                let before = with_address(&host, $named)?;
                refusal::by_create(lab, out, &lab.bundle(|r| $edits(r).set(DEVICES, $devices))?)?;
                out.expect_eq("the device afterwards", host.device($named)?, before);
                Ok(())
            },
        ).needs(HOST)),*]
    };
}

fn with_address(host: &Network, name: &str) -> StepResult<Device> {
    if name != "lo" {
        host.give(&if name == "br0" { host.add_bridge(name)? } else { host.add(name)? }, V4)?;
    }
    host.device(name)
}

fn in_a_new_one(recipe: &mut Recipe) -> &mut Recipe {
    recipe.new_namespace("network")
}

fn as_it_is(recipe: &mut Recipe) -> &mut Recipe {
    recipe
}

pub(super) const NOT_MOVED: &[Scenario] = refused! {
    "no-such-device", &["linux.net-devices.only-moves-existing"], OWN, json!({ "nosuch0": {} }), in_a_new_one;
    "loopback", REFUSED, "lo", json!({ "lo": { "name": NEW } }), in_a_new_one;
    "bridge", REFUSED, "br0", json!({ "br0": {} }), in_a_new_one;
    "name-of-the-loopback", &["linux.net-devices.name-clash-error"], OWN, json!({ OWN: { "name": "lo" } }), in_a_new_one;
    "name-too-long", REFUSED, OWN, json!({ OWN: { "name": "sixteen-letters-" } }), in_a_new_one;
    "name-with-a-slash", REFUSED, OWN, json!({ OWN: { "name": "a/b" } }), in_a_new_one;
    "no-network-namespace", &["linux.net-devices.available"], OWN, json!({ OWN: { "name": NEW } }), as_it_is;
};

pub(super) const CLASH: &[Scenario] = &[Scenario::new(
    "linux.net-devices.refused/name-is-taken",
    &["linux.net-devices.name-clash-error"],
    &[Fault::Drop(DEVICES), Fault::Take(NAME, "\"ctr1\"")],
    |lab, out| {
        let host = lab.network()?;
        let before = with_address(&host, OWN)?;
        let holder = lab.hold_namespace("network")?;
        let inside = Stack::at(&holder.path("network"))?;
        let taken = inside.add(NEW)?;
        let namespace = holder.path("network");
        let bundle = lab.bundle(|r| into(r, &namespace).set(DEVICES, json!({ OWN: { "name": NEW } })))?;
        refusal::by_create(lab, out, &bundle)?;
        out.expect_eq("the device on the host", host.device(OWN)?, before);
        out.expect_eq("the device that has the name", inside.device(NEW)?, taken);
        Ok(())
    },
)
.needs(HOST)];
