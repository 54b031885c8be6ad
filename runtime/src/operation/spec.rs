//! `spec`: a configuration to begin with.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::{Context, Error, Result};

/// The configuration that `spec` writes: a shell in namespaces of its own.
const DEFAULT: &str = include_str!("spec.json");

/// Writes `config.json` into `bundle`; `rootless` makes one that an unprivileged user can run.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn spec(bundle: &Path, rootless: bool) -> Result<()> {
    let path = bundle.join("config.json");
    if path.exists() {
        return Err(Error::new(format!("`{}` exists already; remove it first", path.display())));
    }
    let mut config: Value = serde_json::from_str(DEFAULT).doing(|| "read the built-in configuration".into())?;
    if rootless {
        make_rootless(&mut config);
    }
    let text = serde_json::to_string_pretty(&config).doing(|| "write the configuration".into())?;
    std::fs::write(&path, text + "\n").doing(|| format!("write `{}`", path.display()))
}

/// A user namespace with the caller as its root, the host's network, and what is allowed without privileges.
fn make_rootless(config: &mut Value) {
    let map = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let linux = &mut config["linux"];
    linux["uidMappings"] = map(rustix::process::geteuid().as_raw());
    linux["gidMappings"] = map(rustix::process::getegid().as_raw());
    if let Some(namespaces) = linux["namespaces"].as_array_mut() {
        namespaces.retain(|namespace| namespace["type"] != "network");
        namespaces.push(json!({ "type": "user" }));
    }
    if let Some(linux) = linux.as_object_mut() {
        linux.remove("resources");
    }
    let Some(mounts) = config["mounts"].as_array_mut() else { return };
    mounts.retain(|mount| mount["destination"] != "/sys/fs/cgroup");
    for mount in mounts {
        if mount["destination"] == "/sys" {
            // A sysfs of the host's network namespace can only be bound.
            *mount = json!({
                "destination": "/sys",
                "type": "none",
                "source": "/sys",
                "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]
            });
        }
        if let Some(options) = mount.get_mut("options").and_then(Value::as_array_mut) {
            options.retain(|option| option != "gid=5");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_written_is_a_configuration() {
        for rootless in [false, true] {
            let bundle = tempfile::tempdir().unwrap();
            spec(bundle.path(), rootless).unwrap();
            let (config, _) = Config::load(&bundle.path().join("config.json")).unwrap();
            assert_eq!(config.linux.has_user_namespace(), rootless);
            assert!(spec(bundle.path(), rootless).is_err(), "nothing is overwritten");
        }
    }
}
