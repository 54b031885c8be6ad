//! How much a check repeats with a slow runtime.

use super::Lab;

impl Lab<'_> {
    /// Whether a check that tries a thing many times has the time for once more. With a slow runtime it tries it less often,
    /// which is no reason for another verdict.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.began.elapsed() < self.settings.timeout * 3
    }
}
