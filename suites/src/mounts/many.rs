//! More mounts than the usual limit of descriptors, with a user namespace, where sources are opened beforehand.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;

const COUNT: usize = 1100;
const SOFT: u64 = 1024;

pub(super) const SCENARIOS: &[Scenario] =
    &[Scenario::new("mounts.many/in-a-user-namespace", &[], &[Fault::DropLast("/mounts")], |lab, out| {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, SOFT.min(hard), hard)?;
        let container = lab.running(|r| {
            let r = crate::namespaces::usual_user(
                r.file("/m", "").beside("data/first", "first").beside("data/last", "last"),
            );
            let first = |r, _| Recipe::mount(r, "/m", "none", "{bundle}/data/first", &["bind"]);
            (1..COUNT).fold(r, first).mount("/m", "none", "{bundle}/data/last", &["bind"])
        })?;
        let read = container.ask(Ask::Read("/m".into()))?;
        out.expect("the file of the last mount", read == Ok(Reply::Bytes("last".into())), "last", read);
        if let Ok(Reply::Rlimits(limits)) = container.ask(Ask::Rlimits)? {
            let soft = limits.get("RLIMIT_NOFILE").map(|limit| limit.soft);
            out.expect_eq("soft limit of descriptors", soft, Some(SOFT.min(hard)));
        }
        container.finish_and_delete()
    })
    .axis(Axis::Compat)];
