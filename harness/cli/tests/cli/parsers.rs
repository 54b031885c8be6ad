//! The parsers that `harness/fuzz` searches with coverage, with random bytes: whatever others wrote, they return.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[path = "../../../fuzz/parsers.rs"]
mod list;

/// Noise, or what a parser takes with a few bytes changed, cut out or put in.
fn bytes(seed: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..4), 0..4_usize);
    let changed = prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut bytes = seed.as_bytes().to_vec();
        for (at, with, length) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, with);
        }
        bytes
    });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..300), 4 => changed]
}

#[test]
fn every_parser_returns_whatever_it_is_given() {
    for (name, parse, seed) in list::ALL {
        parse(seed.as_bytes());
        for depth in [100, 100_000] {
            parse("[".repeat(depth).as_bytes());
            parse("{\"a\":".repeat(depth).as_bytes());
        }
        let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
        let run = TestRunner::new(config).run(&bytes(seed), |bytes| {
            parse(&bytes);
            Ok(())
        });
        run.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
