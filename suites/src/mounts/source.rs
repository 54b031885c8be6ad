//! Sources of bind mounts below the root filesystem: an entry sees the mounts of earlier entries.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};

use crate::namespaces::usual_user;

/// The place of a mount, and what leads below it or back to it. The last is the source of a further mount.
fn earlier<'r>(recipe: &'r mut Recipe, source: &str) -> &'r mut Recipe {
    let recipe = recipe.directory("/first/below").directory("/second").beside("data/below/file", "of the mount");
    recipe.mount("/first", "none", "{bundle}/data", &["bind"]).mount("/second", "none", source, &["bind"])
}

fn shows(lab: &Lab<'_>, out: &mut Judgement, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    let container = lab.running(edits)?;
    let read = container.ask(Ask::Read("/second/file".into()))?;
    out.expect_eq("/second/file", read, Ok(Reply::Bytes("of the mount".into())));
    container.finish_and_delete()
}

/// One scenario a row.
macro_rules! sources {
    ($($name:literal, $needs:expr, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("mounts.order/source-", $name),
            &["config.mounts.listed-order"],
            &[Fault::Reverse("/mounts"), Fault::Drop("/mounts/6")],
            |lab, out| shows(lab, out, $edits),
        ).needs($needs)),*]
    };
}

const USER: &[Need] = &[Need::Namespace("user")];

pub(super) const SCENARIOS: &[Scenario] = sources! {
    "below-an-earlier-mount", &[], |r| earlier(r, "{bundle}/rootfs/first/below");
    "below-an-earlier-mount-and-relative", &[], |r| earlier(r, "rootfs/first/below");
    "below-an-earlier-mount-in-a-user-namespace", USER, |r| usual_user(earlier(r, "{bundle}/rootfs/first/below"));
    "at-an-earlier-mount-in-a-user-namespace", USER, |r| {
        usual_user(earlier(r, "{bundle}/rootfs/first").beside("data/file", "of the mount"))
    };
    "made-by-an-earlier-mount-in-a-user-namespace", USER, |r| {
        usual_user(earlier(r.beside("data/new/file", "of the mount"), "{bundle}/rootfs/first/new"))
    };
};
