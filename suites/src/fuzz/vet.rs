//! Which saved cases are accepted. A configuration is a program for a runtime that runs as root: hooks are executed on the host, mounts
//! show its files. So only what this suite could have drawn is run: the edits of its own cases, and values of the kinds that
//! [`draw`](super::bundle::draw) makes.

mod harmless;

use plimsoll_engine::batch;
use plimsoll_engine::check::{Body, Check};
use plimsoll_fixtures::Edit;

use super::bundle::MOST;
use super::bundle::fragment::{Fragment, moved};
use super::hostile;
use super::input::Input;
use crate::model::Step;

/// The most steps of a lifecycle, and calls at once, that are tried.
const STEPS: usize = 64;

/// What of a case this suite would never have made, or nothing.
#[must_use]
pub fn objection(input: &Input, checks: &[Check]) -> Option<String> {
    match input {
        Input::Bundle(fragments) if fragments.len() > MOST => Some(format!("it has more than {MOST} parts")),
        Input::Bundle(fragments) => fragments.iter().find_map(|fragment| of_fragment(fragment, checks)),
        Input::Lifecycle(steps) if is_longer(steps) => Some(format!("it has more than {STEPS} steps")),
        Input::Lifecycle(_) => None,
        Input::Hostile(hostile) if hostile::is_drawn(hostile) => None,
        Input::Hostile(hostile) => Some(format!("{hostile} is none of the hostile cases that are drawn")),
    }
}

fn is_longer(steps: &[Step]) -> bool {
    let calls = |step: &Step| if let Step::AtOnce(_, calls) = step { calls.len() } else { 1 };
    steps.iter().map(calls).sum::<usize>() > STEPS
}

fn of_fragment(fragment: &Fragment, checks: &[Check]) -> Option<String> {
    let own = own_edits(&fragment.name, checks);
    let strange = fragment.edits.iter().find(|edit| !own.contains(edit) && !harmless::is(edit))?;
    Some(format!("the part {:?} has an edit that the suite does not make: {}", fragment.name, in_short(strange)))
}

/// The edits of the case of this name, under every number that a bundle may have given it.
fn own_edits(name: &str, checks: &[Check]) -> Vec<Edit> {
    let Some(Body::Case(case)) = checks.iter().find(|check| check.id == name).map(|check| &check.body) else {
        return Vec::new();
    };
    let edits = batch::recipe(case).edits;
    let numbered = (0..=MOST).flat_map(|number| moved(&edits, name, number));
    edits.iter().cloned().chain(numbered).filter(|edit| !matches!(edit, Edit::Raw(_))).collect()
}

fn in_short(edit: &Edit) -> String {
    let text = serde_json::to_string(edit).unwrap_or_default();
    let head: String = text.chars().take(120).collect();
    if head.len() < text.len() { head + "…" } else { head }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::{Strategy, ValueTree};
    use serde_json::json;

    use super::super::bundle::Draw;
    use super::*;
    use crate::fuzz::bundle::{draw, fragment};
    use crate::fuzz::chance;
    use crate::model::sequence;

    fn of_edit(name: &str, edit: Edit) -> Option<String> {
        objection(&Input::Bundle(vec![Fragment { name: name.to_owned(), edits: vec![edit] }]), &crate::all())
    }

    #[test]
    fn whatever_is_drawn_is_let_through() {
        let checks = crate::all();
        let sources: Vec<_> = fragment::every(&checks);
        let draw = Draw::new(&sources);
        for number in 0..150 {
            let mut bundle = draw.bundle(&mut chance(9, number));
            for _ in 0..3 {
                assert_eq!(objection(&Input::Bundle(bundle.current()), &checks), None);
                bundle.simplify();
            }
            let hostile = hostile::strategy().new_tree(&mut chance(9, number)).unwrap().current();
            assert_eq!(objection(&Input::Hostile(hostile), &checks), None);
            let steps = sequence().new_tree(&mut chance(9, number)).unwrap().current();
            assert_eq!(objection(&Input::Lifecycle(steps), &checks), None);
        }
        assert!(sources.len() > draw::ALL.len());
    }

    #[test]
    fn no_edit_reaches_the_host() {
        let set = |at: &str, value| Edit::Set(at.to_owned(), value);
        let push = |at: &str, value| Edit::Push(at.to_owned(), value);
        let file = |at: &str, mode| Edit::File(at.to_owned(), "#!/bin/sh".to_owned(), mode);
        let mount = |kind: &str, source: &str, options: &[&str]| {
            push("/mounts", json!({ "destination": "/m", "type": kind, "source": source, "options": options }))
        };
        let hostile = [
            file("../../etc/cron.d/x", 0o644),
            file("/etc/cron.d/x", 0o644),
            file("rootfs/x", 0o755),
            file("rootfs/x", 0o4644),
            Edit::Symlink("rootfs/x".into(), "/etc".into()),
            Edit::Device("rootfs/disk".into(), 'b', 8, 0),
            Edit::Directory("rootfs/../../x".into(), 0o755),
            Edit::SetUserId("rootfs/x".into()),
            Edit::Tmpfs("../x".into(), vec![]),
            Edit::Owner("rootfs/probe".into(), 1, 1),
            Edit::Raw(b"{}".to_vec()),
            set("/hooks/poststop", json!([{ "path": "/bin/sh" }])),
            set("", json!({ "hooks": {} })),
            set("/process/args", json!(["/probe", "hook", "x", "/proc/sys/kernel/core_pattern"])),
            set("/process/args", json!(["/probe", "log=/proc/sys/kernel/core_pattern"])),
            set("/process/env", json!(["PLIMSOLL_HOOK=hook x /etc/x"])),
            set("/process/capabilities", json!({ "bounding": ["CAP_SYS_ADMIN"] })),
            set("/annotations", json!({ "run.oci.hooks.stdout": "/etc/x" })),
            set("/linux/sysctl", json!({ "kernel.core_pattern": "|/x" })),
            set("/linux/seccomp", json!({ "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x" })),
            set("/linux/cgroupsPath", json!("/")),
            set("/root/path", json!("/")),
            set("/linux/uidMappings", json!([{ "containerID": 0, "hostID": 0, "size": 1 }])),
            push("/linux/namespaces", json!({ "type": "network", "path": "/proc/1/ns/net" })),
            push("/linux/devices", json!({ "path": "/dev/sda", "type": "b", "major": 8, "minor": 0 })),
            mount("bind", "/", &["bind"]),
            mount("bind", "{bundle}/../..", &["bind"]),
            mount("bind", "{bundle}/rootfs/x", &["bind"]),
            mount("ext4", "/dev/sda1", &[]),
            mount("none", "/", &["rbind"]),
            mount("tmpfs", "tmpfs", &["lowerdir=/"]),
        ];
        for edit in hostile {
            for name in ["random/mounts.bind", "linux.masked-paths/file", "no such part"] {
                assert!(of_edit(name, edit.clone()).is_some(), "{name} {edit:?}");
            }
        }
    }

    #[test]
    fn no_configuration_of_ones_own_passes_as_hostile() {
        let hook = br#"{"ociVersion":"1.0.2","hooks":{"prestart":[{"path":"/bin/sh"}]}}"#.to_vec();
        let all = [
            json!({ "bytes": hook }),
            json!({ "config": [{ "at": "/hooks/poststop/0/path", "how": { "be": "/bin/sh" } }] }),
            json!({ "config": [{ "at": "/root/path", "how": { "be": "/" } }] }),
            json!({ "config": [{ "at": "/annotations", "how": { "number": "{},\"hooks\":{}" } }] }),
            json!({ "config": [{ "at": "/annotations", "how": { "nest": 4_000_000_000_u64 } }] }),
            json!({ "id": "--root=/etc" }),
            json!({ "cgroups-path": "/../../user.slice" }),
            json!({ "link": ["/../../../etc/x", "/"] }),
        ];
        for one in all {
            let input: Input = serde_json::from_value(json!({ "hostile": one })).unwrap();
            assert!(objection(&input, &[]).is_some(), "{input:?}");
        }
    }
}
