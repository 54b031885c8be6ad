//! Destinations behind dangling links, such as `/etc/resolv.conf` in images with systemd: the target is created inside.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;

/// A link in the root filesystem, what it says, where data is mounted, and where that is found.
struct Place {
    link: &'static str,
    target: &'static str,
    destination: &'static str,
    source: &'static str,
    found: &'static str,
}

const CONTENT: &str = "of the mount";

fn mounted(lab: &Lab<'_>, out: &mut Judgement, place: &Place) -> StepResult {
    let container = lab.running(|r| {
        let r = r.beside("data/file", CONTENT).symlink(place.link, place.target);
        r.mount(place.destination, "none", &format!("{{bundle}}/{}", place.source), &["bind"])
    })?;
    let read = container.ask(Ask::Read(place.found.to_owned()))?;
    let is_there = read == Ok(Reply::Bytes(CONTENT.into()));
    out.expect(place.found, is_there, CONTENT, read);
    container.finish_and_delete()
}

macro_rules! dangling {
    ($($name:literal, $place:expr;)*) => {
        &[$(Scenario::new(concat!("mounts.destination.dangling/", $name), &[], &[Fault::Drop("/mounts/6")], |lab, out| {
            mounted(lab, out, &$place)
        })
        .axis(Axis::Compat)),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = dangling! {
    "file", Place {
        link: "/etc/resolv.conf", target: "../run/stub/resolv.conf", destination: "/etc/resolv.conf", source: "data/file",
        found: "/run/stub/resolv.conf",
    };
    "directory", Place {
        link: "/link", target: "/none/such", destination: "/link", source: "data", found: "/none/such/file",
    };
    "on-the-way", Place {
        link: "/link", target: "none", destination: "/link/below/it", source: "data", found: "/none/below/it/file",
    };
};
