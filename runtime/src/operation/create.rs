//! `create`: the environment is made, the program waits.

use crate::error::Result;
use crate::launch::{Request, launch};

/// Creates a container.
///
/// # Errors
/// As [`launch`].
pub fn create(request: &Request) -> Result<()> {
    launch(request, false).map(drop)
}
