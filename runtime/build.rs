//! Links the program at a fixed address.

use std::env;

/// A static program that may be anywhere has ten thousand addresses to correct before it begins, in thirty pages that are
/// copied for it: a tenth of a millisecond in each operation. Only a static one can do without, so where the build is
/// another one, nothing is asked for.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    if is_static && env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
