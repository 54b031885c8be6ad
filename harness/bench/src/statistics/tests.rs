//! Statistics of made-up samples with known results.

use fastrand::Rng;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::*;

fn phase(blocks: &[u32], samples: &[f64]) -> Phase {
    Phase { name: "create".to_owned(), summary: None, blocks: blocks.to_vec(), samples_ms: samples.to_vec() }
}

/// Times like real ones: a base, some scatter, and a long tail.
fn times(base: f64, count: usize, random: &mut Rng) -> Vec<f64> {
    (0..count).map(|_| base * (1.0 + 0.1 * random.f64() + if random.u8(..) < 8 { 2.0 } else { 0.0 })).collect()
}

proptest! {
    #[test]
    fn both_ways_to_the_median_agree(samples in prop::collection::vec(0.0..1e6_f64, 1..60)) {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let (quick, slow) = (median(&mut samples.clone()), quantile(&sorted, 0.5));
        prop_assert!((quick - slow).abs() <= 1e-9 * slow.max(1.0), "{quick} {slow}");
    }

    #[test]
    fn a_summary_is_in_order(samples in prop::collection::vec(0.1..1e3_f64, 1..40), seed: u64) {
        let s = summary(&samples, &mut Rng::with_seed(seed)).unwrap();
        prop_assert!(s.min_ms <= s.low_ms && s.low_ms <= s.median_ms && s.median_ms <= s.high_ms);
        prop_assert!(s.high_ms <= s.max_ms && s.median_ms <= s.p90_ms && s.p90_ms <= s.p99_ms);
        prop_assert_eq!(s.count, samples.len() as u64);
    }

    #[test]
    fn a_common_slowness_of_a_block_does_not_widen_a_ratio(weather in prop::collection::vec(1.0..9.0_f64, 5..40)) {
        let blocks: Vec<u32> = (0..).take(weather.len()).collect();
        let slower: Vec<f64> = weather.iter().map(|time| time * 1.5).collect();
        let found = ratio(&phase(&blocks, &slower), &phase(&blocks, &weather), &mut Rng::with_seed(1)).unwrap();
        prop_assert!((found.low - 1.5).abs() < 1e-9 && (found.high - 1.5).abs() < 1e-9);
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let mut random = Rng::with_seed(1);
    assert_eq!(summary(&[], &mut random), None);
    assert_eq!(ratio(&phase(&[1], &[1.0]), &phase(&[2], &[1.0]), &mut random), None);
    assert_eq!(drift(&[1.0; 8], &mut random), None);
}

#[test]
fn a_ratio_uses_the_blocks_that_both_have() {
    let (one, other) = (phase(&[1, 3, 4], &[10.0, 30.0, 40.0]), phase(&[0, 1, 4, 5], &[9.0, 1.0, 4.0, 9.0]));
    assert_eq!(paired(&one, &other), (vec![10.0, 40.0], vec![1.0, 4.0]));
}

#[test]
fn the_interval_holds_the_truth_in_about_nineteen_of_twenty_samples() {
    let mut random = Rng::with_seed(7);
    let held = (0..200).filter(|_| {
        let samples: Vec<f64> = (0..41).map(|_| random.f64()).collect();
        let s = summary(&samples, &mut random).unwrap();
        s.low_ms <= 0.5 && 0.5 <= s.high_ms
    });
    let held = held.count();
    assert!((180..=199).contains(&held), "{held} of 200");
}

#[test]
fn equals_are_not_told_apart_and_a_tenth_more_is_found() {
    let mut random = Rng::with_seed(11);
    let (mut equal, mut found) = (0, 0);
    for _ in 0..40 {
        let blocks: Vec<u32> = (0..100).collect();
        let [one, same, more] = [20.0, 20.0, 22.0].map(|base| phase(&blocks, &times(base, 100, &mut random)));
        let verdict = |of: &Phase, random: &mut Rng| difference(ratio(of, &one, random).unwrap(), RESOLUTION);
        equal += usize::from(matches!(verdict(&same, &mut random), Difference::None | Difference::Inconclusive));
        found += usize::from(verdict(&more, &mut random) == Difference::Slower);
    }
    assert!(equal >= 38 && found == 40, "{equal} {found}");
}

#[test]
fn a_difference_must_be_beyond_the_margin_with_its_whole_interval() {
    let interval = |low, high| Interval { value: 1.0, low, high };
    assert_eq!(difference(interval(1.06, 1.2), 0.05), Difference::Slower);
    assert_eq!(difference(interval(1.04, 1.2), 0.05), Difference::Inconclusive);
    assert_eq!(difference(interval(0.8, 0.95), 0.05), Difference::Faster);
    assert_eq!(difference(interval(0.8, 0.96), 0.05), Difference::Inconclusive);
    assert_eq!(difference(interval(0.96, 1.04), 0.05), Difference::None);
    assert_eq!(difference(interval(0.96, 1.06), 0.05), Difference::Inconclusive);
}

#[test]
fn outliers_are_counted_and_kept() {
    let samples: Vec<f64> = (0..20).map(|n| 10.0 + f64::from(n) / 20.0).chain([90.0]).collect();
    let s = summary(&samples, &mut Rng::with_seed(1)).unwrap();
    assert_eq!((s.outliers, s.count, s.max_ms.to_bits()), (1, 21, 90.0_f64.to_bits()));
}

#[test]
fn drift_is_seen() {
    let falling: Vec<f64> = (0..30).map(|n| if n < 10 { 30.0 } else { 20.0 }).collect();
    let drift = drift(&falling, &mut Rng::with_seed(1)).unwrap();
    assert!((drift.value - 2.0 / 3.0).abs() < 1e-9 && drift.high < 0.7);
}

#[test]
fn a_millisecond_more_is_a_millisecond_whatever_a_block_costs() {
    let mut random = Rng::with_seed(3);
    let blocks: Vec<u32> = (0..60).collect();
    let base: Vec<f64> = (0..60).map(|_| 5.0 + 20.0 * random.f64()).collect();
    let phase = |more: f64| Phase {
        name: "create".to_owned(),
        summary: None,
        blocks: blocks.clone(),
        samples_ms: base.iter().map(|sample| sample + more).collect(),
    };
    let found = excess(&phase(1.0), &phase(0.0), &mut random).unwrap();
    assert!((found.value - 1.0).abs() < 1e-9 && found.low > 0.999 && found.high < 1.001, "{found:?}");
}
