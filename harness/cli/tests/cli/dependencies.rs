//! What is linked in may be given away with it, and comes from the registry. `deny.toml` says what is let in; where cargo-deny is
//! not installed, this holds it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Whether an expression of SPDX is met by these licences. `AND` binds weaker here than `OR` does in parentheses, which is how
/// the registry has them.
fn is_met(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|one| allowed.contains(one.trim())))
}

#[test]
fn each_dependency_has_an_allowed_licence_and_source() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let deny: toml::Value = toml::from_str(&std::fs::read_to_string(format!("{root}/deny.toml")).unwrap()).unwrap();
    let allowed = deny["licenses"]["allow"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let args =
        ["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new(env!("CARGO")).args(args).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let license = package["license"].as_str().unwrap_or_default();
        assert!(is_met(license, &allowed), "{}: {license:?} is not in deny.toml", package["name"]);
        let source = package["source"].as_str();
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert!(source.is_none_or(|source| source == registry), "{}: {source:?}", package["name"]);
    }
}

#[test]
fn expressions_of_licences_are_understood() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0", "Apache-2.0"]);
    for met in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(MIT OR GPL-2.0) AND Unicode-3.0"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-2.0"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}
