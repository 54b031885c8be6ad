//! `restore`: a container comes back from the files of `checkpoint`.

use crate::criu::Options;
use crate::error::Result;
use crate::foreground::Foreground;
use crate::launch::{self, LaunchRequest};

/// Restores a container and returns its exit code; detached, 0 as soon as it goes on.
///
/// # Errors
/// As [`launch::restore`], or when a poststart hook fails.
pub fn restore(request: &LaunchRequest, options: &Options) -> Result<u8> {
    let foreground = if request.detach { None } else { Some(Foreground::prepare()?) };
    super::run::run_foreground(launch::restore(request, options)?, foreground, false)
}
