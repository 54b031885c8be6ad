//! Destinations behind valid symbolic links of the root filesystem, such as `/var/run` in most images. A runtime that refuses all links,
//! since some lead outside, cannot run these images.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;

/// The source by which the mount under test is known again.
const TRACE: &str = "plimsoll-trace";

const CITES: &[&str] = &["config.mounts.parameters-per-mount2", "runtime.create.all-properties-applied"];
const WRONG: &[Fault] =
    &[Fault::Fail(Op::Create), Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/destination", "\"/elsewhere\"")];

/// One scenario a row: the links with what is mounted, and the place that they lead to.
macro_rules! led {
    ($($name:literal, $edits:expr, $place:literal;)*) => {
        &[$(Scenario::new(concat!("mounts.destination.safe-symlink/", $name), CITES, WRONG, |lab, out| {
            is_mounted(lab, out, $edits, $place)
        }).needs(&[Need::HostView])),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = led! {
    "relative", |r| tmpfs(r.directory("/real").symlink("/link", "real"), "/link"), "/real";
    "absolute", |r| tmpfs(r.directory("/real").symlink("/link", "/real"), "/link"), "/real";
    "relative-on-the-way", |r| tmpfs(r.directory("/real").symlink("/link", "real"), "/link/m"), "/real/m";
    "absolute-on-the-way", |r| tmpfs(r.directory("/real").symlink("/link", "/real"), "/link/m"), "/real/m";
    "upwards-on-the-way", |r| tmpfs(r.directory("/a/b").symlink("/a/link", "../a/b"), "/a/link/m"), "/a/b/m";
    "link-to-a-link", |r| {
        tmpfs(r.directory("/real").symlink("/second", "real").symlink("/first", "/second"), "/first/m")
    }, "/real/m";
    "file", |r| {
        let r = r.file("/real/file", "").symlink("/link", "/real").beside(TRACE, "of the bundle");
        r.mount("/link/file", "none", TRACE, &["bind"])
    }, "/real/file";
};

fn tmpfs<'r>(recipe: &'r mut Recipe, destination: &str) -> &'r mut Recipe {
    recipe.mount(destination, "tmpfs", TRACE, &[])
}

fn is_mounted(lab: &Lab<'_>, out: &mut Judgement, edits: fn(&mut Recipe) -> &mut Recipe, place: &str) -> StepResult {
    let container = lab.running(edits)?;
    let seen = container.observe()?;
    let found = seen.mount_at(place);
    let is_it = found.is_some_and(|mount| mount.source == TRACE || mount.root.ends_with(TRACE));
    out.expect(&format!("what is mounted at {place}"), is_it, "the mount whose destination leads there", found);
    container.finish_and_delete()
}
