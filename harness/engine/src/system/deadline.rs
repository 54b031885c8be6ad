//! Durations for deadlines, scaled for slow machines.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// One number for the whole process and its children: it is a property of the machine.
static SCALE: AtomicU32 = AtomicU32::new(1);

/// Lets everything take `scale` times longer from now on.
pub fn set_time_scale(scale: u32) {
    SCALE.store(scale.max(1), Ordering::Relaxed);
}

/// A duration as this machine needs it.
#[must_use]
pub fn scaled(duration: Duration) -> Duration {
    duration.saturating_mul(SCALE.load(Ordering::Relaxed))
}
