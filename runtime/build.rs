//! Links programs at a fixed address: `plimsoll-runtime`, and `plimsoll`, which has the runtime in it.

use std::env;

/// A static program that may be anywhere has ten thousand addresses to correct before it begins, in thirty pages that are
/// copied for it: a tenth of a millisecond in each operation. Only a static one can do without, so where the build is
/// another one, nothing is asked for.
fn main() {
    let (features, libc) = ("CARGO_CFG_TARGET_FEATURE", "CARGO_CFG_TARGET_ENV");
    println!("cargo:rerun-if-env-changed={features}");
    let is_static = env::var(features).is_ok_and(|features| features.split(',').any(|name| name == "crt-static"));
    if is_static && env::var(libc).is_ok_and(|libc| libc == "gnu") {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
