//! Whatever stands in `config.json`: it is refused or read, and nothing else happens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_runtime::config::{Config, Process};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(why) = Config::parse(text) {
        // An error is one line for the user, whatever it quotes.
        let _ = why.to_string();
    }
    let _ = Process::parse(text);
});
