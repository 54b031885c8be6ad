//! What the kernel, a call of the runtime and the probe tell.

use plimsoll_fixtures::probe::{Refused, Reply};

use super::Shown;
use crate::observer::mountinfo::Mount;
use crate::process::Ended;

impl Shown for Ended {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Refused {
    fn shown(&self) -> String {
        self.to_string()
    }
}

/// As mount(8) lists it.
impl Shown for Mount {
    fn shown(&self) -> String {
        let Self { kind, source, point, options, super_options, .. } = self;
        format!("{kind} {source} on {point} ({}; {})", options.join(","), super_options.join(","))
    }
}
