//! The one form of a refusal: the JSON path and the reason.

use std::fmt::Display;

use crate::error::{Error, Result};

/// Fails with the JSON path and the reason unless `holds`.
pub(super) fn require(holds: bool, path: impl Display, reason: impl Display) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::new(format!("{path}: {reason}"))) }
}
