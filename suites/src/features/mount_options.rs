//! Mount options that the document lists have an effect.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use serde_json::json;

use super::{document, kernel, said};

/// The kernel shows the flag of each, on a bind mount of its own.
pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "features.mounts/listed-options-hold",
    &["features.mount-options-recognised", "runtime.create.all-properties-applied"],
    &[Fault::Drop("/mounts/6/options/1"), Fault::DropLast("/mounts/8/options")],
    |lab, out| {
        let document = document(lab)?;
        let listed = said(&document, "/mountOptions")?;
        let is_listed = |option: &&str| listed.as_array().is_some_and(|listed| listed.contains(&json!(option)));
        let known = ["", "r"].iter().flat_map(|depth| FLAGS.map(|flag| format!("{depth}{flag}")));
        let mut options: Vec<String> = known.filter(|option| is_listed(&option.as_str())).collect();
        options.retain(|option| kernel::mounts_with(&lab.dir, option));
        let container = lab.running(|r| {
            let r = r.beside("data/file", "content");
            options
                .iter()
                .fold(r, |r, option| r.mount(&format!("/m-{option}"), "none", "{bundle}/data", &["rbind", option]))
        })?;
        let seen = container.observe()?;
        for option in &options {
            let found = seen.mount_at(&format!("/m-{option}"));
            let flag = FLAGS.iter().find(|flag| option.ends_with(*flag));
            let holds = found.zip(flag).is_some_and(|(mount, flag)| mount.options.iter().any(|shown| shown == flag));
            out.expect(option, holds, "a mount that shows it", found);
        }
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView])];

/// Options that the kernel shows for a mount; each may have an `r` in front.
const FLAGS: [&str; 5] = ["ro", "nosuid", "nodev", "noexec", "nosymfollow"];
