//! Random values of `linux`, and of host and domain name.

use std::collections::BTreeMap;

use plimsoll_engine::namespace_holder::FIRST_ID;
use plimsoll_fixtures::Edit;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::{edits, file_name, text};

fn label() -> &'static str {
    "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?"
}

pub(super) fn hostname() -> BoxedStrategy<Vec<Edit>> {
    label().prop_map(|name| edits(|r| r.set("/hostname", name))).boxed()
}

pub(super) fn domainname() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec(label(), 1..3).prop_map(|labels| edits(|r| r.set("/domainname", labels.join(".")))).boxed()
}

pub(super) fn annotations() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::btree_map("[a-z]{1,5}\\.[a-z]{1,8}/[a-zA-Z0-9_-]{1,8}", text(), 0..5)
        .prop_map(|all: BTreeMap<String, String>| edits(|r| r.set("/annotations", all)))
        .boxed()
}

/// Files or directories of the root filesystem, and a list of their paths.
fn paths(member: &'static str, top: &'static str) -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec((file_name(), any::<bool>(), any::<bool>()), 1..4)
        .prop_map(move |all| {
            edits(|r| {
                for (number, (name, is_file, is_deep)) in all.into_iter().enumerate() {
                    let path = format!("/{top}/{number}{}{name}", if is_deep { "/" } else { "-" });
                    if is_file {
                        r.file(&path, "content")
                    } else {
                        r.file(&format!("{path}/inner"), "content")
                    };
                    r.push(member, path);
                }
                r
            })
        })
        .boxed()
}

pub(super) fn masked_paths() -> BoxedStrategy<Vec<Edit>> {
    paths("/linux/maskedPaths", "to-mask")
}

pub(super) fn readonly_paths() -> BoxedStrategy<Vec<Edit>> {
    paths("/linux/readonlyPaths", "to-keep")
}

/// Numbers that no driver of this kind of machine has, or an innocent one.
pub(super) fn devices() -> BoxedStrategy<Vec<Edit>> {
    let device = (select(vec!["c", "b", "p", "u"]), 240..255_u32, 0..=255_u32, 0..=0o777_u32, 0..5000_u32, 0..5000_u32);
    prop::collection::vec((device, any::<bool>()), 1..4)
        .prop_map(|all| {
            edits(|r| {
                for (number, ((kind, major, minor, mode, uid, gid), is_deep)) in all.into_iter().enumerate() {
                    let path = format!("/dev/{}random{number}", if is_deep { "of/" } else { "" });
                    let mut device = json!({ "path": path, "type": kind, "fileMode": mode, "uid": uid, "gid": gid });
                    if kind != "p" {
                        (device["major"], device["minor"]) = (major.into(), minor.into());
                    }
                    r.push("/linux/devices", device);
                }
                r
            })
        })
        .boxed()
}

/// Parameters of the IPC namespace, which the base has a new one of.
pub(super) fn sysctl() -> BoxedStrategy<Vec<Edit>> {
    let names = subsequence(vec!["kernel.msgmax", "kernel.msgmnb", "kernel.shmmni", "fs.mqueue.msg_max"], 1..=4);
    (names, 1..200_u32)
        .prop_map(|(names, value)| {
            let all: BTreeMap<&str, String> = names.into_iter().map(|name| (name, value.to_string())).collect();
            edits(|r| r.set("/linux/sysctl", all))
        })
        .boxed()
}

pub(super) fn rootfs_propagation() -> BoxedStrategy<Vec<Edit>> {
    select(vec!["private", "slave", "shared", "unbindable"])
        .prop_map(|word| edits(|r| r.set("/linux/rootfsPropagation", word)))
        .boxed()
}

/// Further namespaces beside those of the base.
pub(super) fn namespaces() -> BoxedStrategy<Vec<Edit>> {
    subsequence(vec!["network", "cgroup"], 1..=2)
        .prop_map(|kinds| edits(|r| kinds.into_iter().fold(r, |r, kind| r.new_namespace(kind))))
        .boxed()
}

/// Ranges one after the other, the first of which has root; on the host they are far from every user.
pub(super) fn user_maps() -> BoxedStrategy<Vec<Edit>> {
    prop::collection::vec((65_536..70_000_u32, 0..1000_u32), 1..4)
        .prop_map(|ranges| {
            let (mut inside, mut outside) = (0, FIRST_ID);
            let mut maps: Vec<Value> = Vec::new();
            for (size, gap) in ranges {
                maps.push(json!({ "containerID": inside, "hostID": outside, "size": size }));
                inside += size + gap;
                outside += size + 2 * gap;
            }
            edits(|r| {
                r.new_namespace("user")
                    .new_namespace("network")
                    .set("/linux/uidMappings", &maps)
                    .set("/linux/gidMappings", &maps)
            })
        })
        .boxed()
}
