//! Values of version 1 in the units of version 2.

/// `cpu.weight` for `cpu.shares`: 2 becomes 1, the default of 1024 becomes the default of 100, 262144 becomes 10000,
/// and between them the exponent is quadratic in the logarithm of the shares. This is the conversion that runtimes
/// agreed on in 2025; the older linear one gave a default container less than half of its share.
pub(in crate::cgroup) fn weight_of_shares(shares: u64) -> u64 {
    match shares {
        ..=2 => 1,
        262_144.. => 10_000,
        _ => {
            #[expect(clippy::cast_precision_loss, reason = "shares are below 2^18")]
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the result is 1 to 10000")]
            let weight = 10_f64.powf(exponent).ceil() as u64;
            weight
        }
    }
}

/// `io.weight` (1 to 10000) for `blkio.weight` (10 to 1000), linear.
pub(super) fn io_weight(weight: u16) -> u64 {
    1 + u64::from(weight.saturating_sub(10)) * 9_999 / 990
}

/// A limit in the spelling of version 2.
pub(super) fn or_max(limit: i64) -> String {
    if limit < 0 { "max".to_owned() } else { limit.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_their_ends_their_default_and_their_order() {
        assert_eq!([0, 2, 1024, 262_144, u64::MAX].map(weight_of_shares), [1, 1, 100, 10_000, 10_000]);
        let weights: Vec<_> = (2..=262_144).step_by(7).map(weight_of_shares).collect();
        assert!(weights.is_sorted());
        assert!(weights.iter().all(|weight| (1..=10_000).contains(weight)));
    }

    #[test]
    fn block_weights_keep_their_ends() {
        assert_eq!([10, 1000].map(io_weight), [1, 10_000]);
        assert!((10..1000).all(|weight| io_weight(weight) < io_weight(weight + 1)));
    }
}
