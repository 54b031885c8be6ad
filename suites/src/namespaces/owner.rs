//! A user namespace owns the other namespaces that are made with it: the capabilities of the container apply only in these.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::namespace_holder::{kernel_name, kinds};
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::own_namespace;
use plimsoll_reports::model::Axis;

use super::{LIST, usual_user};

const OWNED: Rule = Rule::by_host(
    "namespaces.owned-by-the-user-namespace",
    &["linux.namespaces.type-user", "linux.namespaces.no-path-new"],
    |config, evidence, out| {
        let user = evidence.host().namespace("user");
        out.expect("user namespace", user.is_some() && user != own_user(), "one of the container", user);
        let new = |kind: &&str| config.namespace(kind).is_some_and(|entry| entry.get("path").is_none());
        for kind in kinds().filter(new).filter(|&kind| kind != "user") {
            out.expect_eq(&format!("owner of {kind}"), evidence.host().namespace_owner(kernel_name(kind)), user);
        }
    },
)
.axis(Axis::Security)
.needs(&[Need::HostView, Need::Namespace("user")]);

/// Our own user namespace. A failure to see it is one of the harness.
fn own_user() -> Option<u64> {
    own_namespace("user").unwrap_or_else(|why| panic!("our own user namespace: {why}"))
}

pub(super) const CASES: &[Case] = &[Case::new(
    &OWNED,
    "every-type",
    |r| usual_user(r).new_namespace("cgroup"),
    &[
        Fault::Drop("/linux/namespaces/4"),
        Fault::Take(LIST, r#"[{"type":"pid"},{"type":"network"},{"type":"mount"},{"type":"user"},{"type":"cgroup"}]"#),
    ],
)];
