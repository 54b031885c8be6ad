//! Fragments that cannot be in the same bundle, since they edit the same member or file.

use plimsoll_engine::batch::overlap;
use plimsoll_fixtures::Edit;
use serde_json::Value;

/// A member or a file that a fragment wants for itself.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    name: String,
    /// Whether it is one entry of a list that others may have entries in.
    entry: bool,
}

/// Arrays whose elements are identified by one of their members.
const KEYED: [(&str, &str); 6] = [
    ("/mounts", "destination"),
    ("/linux/namespaces", "type"),
    ("/process/rlimits", "type"),
    ("/linux/devices", "path"),
    ("/linux/maskedPaths", ""),
    ("/linux/readonlyPaths", ""),
];

/// Whether two lists of edits get in each other's way.
#[must_use]
pub fn clash(one: &[Edit], other: &[Edit]) -> bool {
    let others: Vec<Place> = other.iter().flat_map(places).collect();
    one.iter().flat_map(places).any(|place| others.iter().any(|theirs| meet(&place, theirs)))
}

fn meet(one: &Place, other: &Place) -> bool {
    if one.entry && other.entry { one.name == other.name } else { overlap(&one.name, &other.name) }
}

/// What an edit wants: the member, and the files that are hidden or shown by what is put there.
fn places(edit: &Edit) -> Vec<Place> {
    let own = |name: &str| Place { name: name.to_owned(), entry: false };
    match edit {
        Edit::Set(pointer, value) => {
            let inner = value.as_array().into_iter().flatten().flat_map(|value| hidden(pointer, value));
            // Another root filesystem has none of the files that others put into the usual one.
            let root = pointer.starts_with("/root/path").then(|| own("rootfs"));
            let visited = match pointer.as_str() {
                "/process/cwd" => value.as_str(),
                "/process/args" => value[0].as_str(),
                _ => None,
            };
            let of_host = value["kernel.domainname"].is_string().then(|| own(HOST_PARAMETERS));
            // The kernel promises time to those alone who may run everywhere.
            let everywhere = (value["policy"] == "SCHED_DEADLINE").then(|| own("/linux/resources/cpu/cpus"));
            [own(pointer)]
                .into_iter()
                .chain(of_mounts(pointer))
                .chain(of_namespaces(pointer))
                .chain(of_host)
                .chain(everywhere)
                .chain(inner)
                .chain(root)
                .chain(visited.and_then(in_rootfs))
                .collect()
        }
        Edit::Push(pointer, value) => {
            let entry = Place { name: format!("{pointer}/{}", key(pointer, value)), entry: true };
            // Whom a user namespace has no number for, nobody can be in it; and the kernel may refuse its root a priority.
            let user = pointer == "/linux/namespaces" && value["type"] == "user";
            let ids = FOREIGN.into_iter().filter(|_| user).map(own);
            let binds = value["options"].as_array().into_iter().flatten().any(|word| word == "bind" || word == "rbind");
            let bind = binds.then(|| Place { name: format!("{BINDS}/{}", key(pointer, value)), entry: true });
            [entry].into_iter().chain(hidden(pointer, value)).chain(ids).chain(bind).collect()
        }
        Edit::Remove(pointer) => {
            [own(pointer)].into_iter().chain(of_mounts(pointer)).chain(of_namespaces(pointer)).collect()
        }
        // Directories may be made by several.
        Edit::Directory(..) => Vec::new(),
        other => other.path().map(own).into_iter().collect(),
    }
}

/// What a user namespace gets in the way of.
const FOREIGN: [&str; 7] = [
    "/process/user",
    "/process/scheduler",
    "/process/ioPriority",
    "/linux/devices",
    BASE_MOUNTS,
    BINDS,
    HOST_PARAMETERS,
];

/// Parameters that the kernel lets root of the host alone write, whatever namespace they are of.
const HOST_PARAMETERS: &str = "parameters of the host";

/// The mounts of the base, which a user namespace cannot do without: it may make nothing in a root filesystem of the host.
const BASE_MOUNTS: &str = "mounts of the base";

/// Bind mounts, of which a user namespace may not change what the host has locked.
const BINDS: &str = "bind mounts";

/// The terminals, without which a process has none.
const TERMINALS: &str = "terminals";

/// Who changes a mount by its number must have added it, or mean one of the base.
fn of_mounts(pointer: &str) -> Vec<Place> {
    let own = |name: &str| Place { name: name.to_owned(), entry: false };
    match pointer.strip_prefix("/mounts") {
        None if pointer == "/process/terminal" => vec![own(TERMINALS)],
        None => Vec::new(),
        Some("" | "/2") => vec![own(BASE_MOUNTS), own(TERMINALS)],
        Some(rest) => {
            let number = rest.split('/').nth(1).and_then(|number| number.parse::<usize>().ok());
            if number.is_some_and(|number| number < OF_BASE) { vec![own(BASE_MOUNTS)] } else { vec![own("/mounts")] }
        }
    }
}

/// What needs a namespace of the base, and the name that stands for that namespace as a place.
const NEEDED: [(&str, &str); 3] =
    [("/linux/sysctl", "ipc namespace"), ("/hostname", "uts namespace"), ("/domainname", "uts namespace for a domain")];

/// Who writes the whole list of namespaces may leave one out that others need.
fn of_namespaces(pointer: &str) -> Vec<Place> {
    let all = overlap(pointer, "/linux/namespaces");
    let needed = NEEDED.into_iter().filter(|(member, _)| all || overlap(pointer, member));
    needed.map(|(_, name)| Place { name: name.to_owned(), entry: false }).collect()
}

/// How many mounts the base has.
const OF_BASE: usize = 6;

/// What tells an element of an array from others, without slashes, which would be levels.
fn key(pointer: &str, value: &Value) -> String {
    let member = KEYED.iter().find(|(array, _)| *array == pointer).map(|(_, member)| *member);
    let key = member.and_then(|member| value[member].as_str().or_else(|| value.as_str()));
    key.map_or_else(|| value.to_string(), |key| key.trim_end_matches('/').to_owned()).replace('/', "|")
}

/// The place in the root filesystem that an element hides.
fn hidden(pointer: &str, value: &Value) -> Option<Place> {
    let member = KEYED.iter().find(|(array, _)| *array == pointer)?.1;
    in_rootfs(value[member].as_str().or_else(|| value.as_str())?)
}

/// `/` itself is everybody's.
fn in_rootfs(path: &str) -> Option<Place> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    (!names.is_empty()).then(|| Place { name: format!("rootfs/{}", names.join("/")), entry: false })
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::Recipe;
    use serde_json::json;

    use super::*;

    fn edits(edit: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Vec<Edit> {
        let mut recipe = Recipe::default();
        edit(&mut recipe);
        recipe.edits
    }

    #[test]
    fn different_members_go_together_and_the_same_one_does_not() {
        let hostname = edits(|r| r.set("/hostname", "a"));
        assert!(clash(&hostname, &edits(|r| r.set("/hostname", "b"))));
        assert!(!clash(&hostname, &edits(|r| r.set("/domainname", "b"))));
        assert!(clash(&edits(|r| r.set("/process/user", json!({}))), &edits(|r| r.set("/process/user/uid", 1))));
    }

    #[test]
    fn entries_of_one_list_go_together_unless_they_are_the_same() {
        let mount = |at: &str| edits(|r| r.mount(at, "tmpfs", "tmpfs", &[]));
        assert!(!clash(&mount("/m1"), &mount("/m2")));
        assert!(clash(&mount("/m1"), &mount("/m1/")));
        assert!(clash(&mount("/m1"), &mount("/m1/inner")));
        assert!(clash(&mount("/m1"), &edits(|r| r.file("/m1/x", ""))));
        assert!(clash(&mount("/m1"), &edits(|r| r.set("/mounts", json!([])))));
    }
}
