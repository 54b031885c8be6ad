//! Every profile that is accepted compiles, or is refused: no panic, no endless program.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_runtime::config::Seccomp;
use plimsoll_runtime::seccomp::Filter;

fuzz_target!(|data: &[u8]| {
    let Ok(profile) = serde_json::from_slice::<Seccomp>(data) else { return };
    if profile.validate("linux.seccomp").is_err() {
        return;
    }
    if let Ok(filter) = Filter::compile(&profile) {
        // The kernel takes no longer program.
        assert!(filter.length() <= 4096, "{} instructions", filter.length());
    }
});
