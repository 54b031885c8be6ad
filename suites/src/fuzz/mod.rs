//! Random bundles: lists of edits of the cases and of edits with random values, valid by construction, with the rules that judge them.

pub mod bundle;
pub mod hostile;
pub mod input;
pub mod vet;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The source of chance for one case of a run: the same seed and number give the same case, whatever ran before.
#[must_use]
pub fn chance(seed: u64, number: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
