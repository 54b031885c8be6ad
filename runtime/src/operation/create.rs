//! `create`: the environment is made, the program waits.

use crate::error::Result;
use crate::launch::{LaunchRequest, launch};

/// Creates a container.
///
/// # Errors
/// As [`launch`].
pub fn create(request: &LaunchRequest) -> Result<()> {
    launch(request, false).map(drop)
}
