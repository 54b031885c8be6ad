//! The entries of `mounts` as rules need them.

use plimsoll_fixtures::Config;
use serde_json::Value;

/// One entry, after which nothing else is mounted at its destination.
#[derive(Clone, Debug)]
pub(super) struct Entry<'c> {
    /// Destination from the root directory of the container, where a relative one starts too, in its shortest form.
    pub(super) destination: String,
    pub(super) kind: &'c str,
    pub(super) source: &'c str,
    pub(super) options: Vec<&'c str>,
}

impl<'c> Entry<'c> {
    fn read(mount: &'c Value) -> Self {
        let text = |name: &str| mount[name].as_str().unwrap_or_default();
        let options = mount["options"].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            destination: clean(text("destination")),
            kind: text("type"),
            source: text("source"),
            options: options.iter().filter_map(Value::as_str).collect(),
        }
    }

    pub(super) fn is_bind(&self) -> bool {
        self.has("bind") || self.has("rbind")
    }

    pub(super) fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    /// The value of the last option of the form `name=value`.
    pub(super) fn value(&self, name: &str) -> Option<&'c str> {
        self.options.iter().rev().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The path from the root directory, without `.`, `..` and doubled slashes. Nothing is above the root.
pub(crate) fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            _ => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

/// The entries whose destination no later entry has, in order.
pub(super) fn entries(config: &Config) -> Vec<Entry<'_>> {
    let all: Vec<Entry<'_>> = config.list("/mounts").iter().map(Entry::read).collect();
    let covered = |at: usize| all[at + 1..].iter().any(|later| later.destination == all[at].destination);
    (0..all.len()).filter(|&at| !covered(at)).map(|at| all[at].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn destinations_are_in_their_shortest_form() {
        for (path, short) in [
            ("rel/dir", "/rel/dir"),
            ("/a//b/.", "/a/b"),
            ("/a/../m/", "/m"),
            ("/../../m", "/m"),
            ("/a/./b/..//c/", "/a/c"),
        ] {
            assert_eq!(clean(path), short);
        }
    }

    #[test]
    fn the_last_entry_of_a_destination_counts() {
        let mounts =
            json!({ "mounts": [{ "destination": "/m", "source": "1" }, { "destination": "m/", "source": "2" }] });
        let config = Config(mounts);
        let sources: Vec<&str> = entries(&config).iter().map(|entry| entry.source).collect();
        assert_eq!(sources, ["2"]);
    }
}
