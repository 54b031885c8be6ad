//! Valid values that a runtime need not support (`config.md#valid-values`): it may refuse them with an error before anything is made.
//! It has to support what its `features` lists.

use plimsoll_fixtures::Config;
use serde_json::Value;

use crate::runtime::profile::Op;
use crate::runtime::release::Release;
use crate::system::cgroup;

/// The clause, by its id in the list.
pub(super) const CLAUSE: &str = "config.values.subset-allowed";

/// What no runtime of an earlier release has to know.
const LATER: &str = "a configuration of a release later than it claims";

/// A kind of values that no clause obliges a runtime to support, nor says that it should: types of namespaces are none.
#[derive(Debug)]
struct OptionalFeature {
    /// What it is, for the reader.
    what: &'static str,
    /// Whether a configuration asks for it.
    asked: fn(&Config) -> bool,
    /// Whether the features say that what this configuration asks for is supported.
    claimed: fn(&Config, &Value) -> bool,
}

const OPTIONAL_FEATURES: &[OptionalFeature] = &[
    OptionalFeature {
        what: "flags of a filter",
        asked: |config| !config.list("/linux/seccomp/flags").is_empty(),
        claimed: |config, features| {
            lists(features, "/linux/seccomp/supportedFlags", &config.texts("/linux/seccomp/flags"))
        },
    },
    OptionalFeature {
        what: "an action of a filter other than to allow and to fail",
        asked: |config| !special_actions(config).is_empty(),
        claimed: |config, features| lists(features, "/linux/seccomp/actions", &special_actions(config)),
    },
    OptionalFeature { what: "a user or group above 2147483647", asked: has_large_id, claimed: |_, _| false },
    OptionalFeature {
        what: "a mount with mapped ids",
        asked: |config| config.list("/mounts").iter().any(is_idmapped),
        claimed: |_, features| features.pointer("/linux/mountExtensions/idmap/enabled") == Some(&true.into()),
    },
    OptionalFeature {
        what: "a scheduling policy other than the usual one, or flags of it",
        asked: |config| {
            config.text("/process/scheduler/policy").is_some_and(|policy| policy != "SCHED_OTHER")
                || !config.list("/process/scheduler/flags").is_empty()
        },
        claimed: |_, _| false,
    },
    OptionalFeature {
        what: "another execution domain",
        asked: |config| config.text("/linux/personality/domain").is_some_and(|domain| domain != "LINUX"),
        claimed: |_, _| false,
    },
    OptionalFeature {
        what: "a memory policy",
        asked: |config| config.get("/linux/memoryPolicy/mode").is_some(),
        claimed: |config, features| {
            let mode: Vec<&str> = config.text("/linux/memoryPolicy/mode").into_iter().collect();
            lists(features, "/linux/memoryPolicy/modes", &mode)
                && lists(features, "/linux/memoryPolicy/flags", &config.texts("/linux/memoryPolicy/flags"))
        },
    },
    OptionalFeature {
        what: "a limit whose controller is of cgroup version 2 on a hybrid host",
        asked: is_split,
        claimed: |_, _| false,
    },
    OptionalFeature {
        what: "a weight of block I/O, which this kernel has for the scheduler BFQ alone",
        asked: is_weighed_by_bfq,
        claimed: |_, _| false,
    },
];

/// Whether all these words are in a list of the features.
fn lists(features: &Value, pointer: &str, words: &[&str]) -> bool {
    let listed = features.pointer(pointer).and_then(Value::as_array);
    listed.is_some_and(|listed| words.iter().all(|word| listed.iter().any(|known| known == *word)))
}

/// Whether a configuration is of a later release than the one that the runtime is judged by, and that it claims.
fn is_of_later_release(config: &Config, judged: Release, features: &Value) -> bool {
    let newest = Release::claimed_in(features).map_or(judged, |claimed| claimed.max(judged));
    config.text("/ociVersion").and_then(Release::parse).is_some_and(|release| release > newest)
}

fn special_actions(config: &Config) -> Vec<&str> {
    let rules = config.list("/linux/seccomp/syscalls").iter().filter_map(|rule| rule["action"].as_str());
    let all = config.text("/linux/seccomp/defaultAction").into_iter().chain(rules);
    all.filter(|action| !matches!(*action, "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO")).collect()
}

fn has_large_id(config: &Config) -> bool {
    let groups = config.list("/process/user/additionalGids").iter();
    let own = ["/process/user/uid", "/process/user/gid"].into_iter().filter_map(|pointer| config.get(pointer));
    own.chain(groups).filter_map(Value::as_i64).any(|id| id > i64::from(i32::MAX))
}

fn is_idmapped(mount: &Value) -> bool {
    let options = mount["options"].as_array().into_iter().flatten();
    let mapped = ["uidMappings", "gidMappings"].iter().any(|member| mount.get(member).is_some());
    mapped || options.filter_map(Value::as_str).any(|option| option == "idmap" || option == "ridmap")
}

/// Whether a limit is for a controller that version 2 has where most are of version 1.
fn is_split(config: &Config) -> bool {
    const CONTROLLERS: [(&str, &str); 3] = [("hugepageLimits", "hugetlb"), ("rdma", "rdma"), ("pids", "pids")];
    let Some(resources) = config.get("/linux/resources").and_then(Value::as_object) else { return false };
    let Ok(hierarchies) = cgroup::hierarchies() else { return false };
    let has = |controller: &str| hierarchies.iter().any(|it| it.controllers.iter().any(|name| name == controller));
    let is_hybrid = hierarchies.iter().any(|it| it.v2) && ["cpu", "memory"].iter().any(|controller| has(controller));
    let asks =
        |member: &str| resources.get(member).is_some_and(|value| !matches!(value.to_string().as_str(), "[]" | "{}"));
    is_hybrid && CONTROLLERS.iter().any(|(member, controller)| asks(member) && !has(controller))
}

/// Whether a configuration sets weights of block I/O where groups have no file for those of every scheduler: what knows the
/// name of that file alone, which went with CFQ, cannot apply them.
fn is_weighed_by_bfq(config: &Config) -> bool {
    const COMMON: [&str; 2] = ["blkio.weight", "io.weight"];
    let members = ["weight", "leafWeight", "weightDevice"];
    let asks = members.iter().any(|member| config.get(&format!("/linux/resources/blockIO/{member}")).is_some());
    let has_common = || cgroup::own_roots().iter().any(|root| COMMON.iter().any(|file| root.join(file).exists()));
    asks && !has_common()
}

/// Whether a configuration asks for something that a runtime may refuse.
pub(crate) fn is_asked(config: &Config) -> bool {
    OPTIONAL_FEATURES.iter().any(|feature| (feature.asked)(config))
}

/// A failed call of the runtime, and its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// `create` or `start`.
    pub(crate) op: Op,
    /// The configuration.
    pub(crate) config: Config,
}

impl Refusal {
    /// What the configuration asks for that a runtime need not support; nothing where it asks for no such thing, or for what the
    /// features list.
    pub(crate) fn unsupported_feature(&self, judged: Release, features: &Value) -> Option<&'static str> {
        let mut asked = OPTIONAL_FEATURES.iter().filter(|feature| (feature.asked)(&self.config));
        let chosen = asked.find(|feature| !(feature.claimed)(&self.config, features)).map(|feature| feature.what);
        chosen.or_else(|| is_of_later_release(&self.config, judged, features).then_some(LATER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusable(config: Value, features: &Value) -> bool {
        let config = Config(config);
        OPTIONAL_FEATURES.iter().any(|feature| (feature.asked)(&config) && !(feature.claimed)(&config, features))
    }

    #[test]
    fn what_features_list_has_to_be_supported() {
        let config = json!({ "linux": { "seccomp": { "flags": ["F"] } } });
        assert!(refusable(config.clone(), &Value::Null));
        assert!(refusable(config.clone(), &json!({ "linux": { "seccomp": { "supportedFlags": ["G"] } } })));
        assert!(!refusable(config, &json!({ "linux": { "seccomp": { "supportedFlags": ["F", "G"] } } })));
    }

    #[test]
    fn what_every_runtime_has_to_support_is_not_refused() {
        let base = Config::base().0;
        assert!(!refusable(base, &Value::Null));
        assert!(!refusable(json!({ "process": { "user": { "uid": 2_147_483_647_i64, "gid": 0 } } }), &Value::Null));
        assert!(refusable(
            json!({ "process": { "user": { "uid": 0, "additionalGids": [2_147_483_648_i64] } } }),
            &Value::Null
        ));
    }

    #[test]
    fn weights_are_asked_for_by_each_of_their_members() {
        let with = |block_io: Value| Config(json!({ "linux": { "resources": { "blockIO": block_io } } }));
        // The test stands in no group of a check, where nothing has a file.
        assert!(is_weighed_by_bfq(&with(json!({ "weight": 10 }))));
        assert!(is_weighed_by_bfq(&with(json!({ "weightDevice": [] }))));
        assert!(!is_weighed_by_bfq(&with(json!({ "throttleReadBpsDevice": [] }))));
    }

    #[test]
    fn a_release_is_later_than_what_is_claimed() {
        let config = Config(json!({ "ociVersion": "1.2.1" }));
        let judged = Release(1, 0, 2);
        assert!(is_of_later_release(&config, judged, &Value::Null));
        assert!(is_of_later_release(&config, judged, &json!({ "ociVersionMax": "1.1.0" })));
        assert!(!is_of_later_release(&config, judged, &json!({ "ociVersionMax": "1.2.1" })));
        assert!(!is_of_later_release(&config, Release(1, 3, 0), &Value::Null));
        assert!(!is_of_later_release(&Config(json!({ "ociVersion": "later" })), judged, &Value::Null));
    }
}
