//! `create`: the environment is made, the program waits.

use crate::error::Result;
use crate::launch::{Wish, launch};

/// Creates a container.
///
/// # Errors
/// As [`launch`].
pub fn create(wish: &Wish) -> Result<()> {
    launch(wish, false).map(drop)
}
