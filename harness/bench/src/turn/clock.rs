//! The clock of harness and payload: `CLOCK_MONOTONIC`.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Now.
///
/// # Panics
/// Never: each Linux has this clock.
#[must_use]
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// The time that a payload wrote, a `timespec` as the last 16 bytes; what a runtime printed before does not matter.
#[must_use]
pub fn stamped(bytes: &[u8]) -> Option<Duration> {
    let (words, rest) = bytes.last_chunk::<16>()?.as_chunks::<8>();
    let [seconds, nanoseconds] = words else { return None };
    let nanoseconds = u32::try_from(u64::from_ne_bytes(*nanoseconds)).ok()?;
    (rest.is_empty() && nanoseconds < 1_000_000_000).then(|| Duration::new(u64::from_ne_bytes(*seconds), nanoseconds))
}

/// A duration as reports have it.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_last_sixteen_bytes() {
        let stamp = [7_u64.to_ne_bytes(), 5_u64.to_ne_bytes()].concat();
        assert_eq!(stamped(&[b"warning\n".as_slice(), &stamp].concat()), Some(Duration::new(7, 5)));
        assert_eq!(stamped(&stamp[1..]), None);
        assert_eq!(stamped(&[0xff; 16]), None);
    }
}
