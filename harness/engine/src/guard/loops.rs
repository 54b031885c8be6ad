//! Loop devices and their backing files. Other programs of the host may attach one at any time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::member::value;
use crate::system::proc::files::if_there;
use crate::system::sys;

/// The file behind each loop device that has one, by the place that names it.
pub(super) fn attached() -> io::Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    for device in if_there(fs::read_dir("/sys/block"))?.into_iter().flatten() {
        let device = device?;
        if device.file_name().to_string_lossy().starts_with("loop") {
            let path = device.path().join("loop/backing_file");
            found.extend(value(&path).map(|shown| (path, shown)));
        }
    }
    Ok(found)
}

/// Whether this is a place that names the file of a loop device.
pub(super) fn is_backing_file(path: &Path) -> bool {
    path.ends_with("loop/backing_file")
}

/// Detaches a loop device, given the place that names its file.
pub(super) fn detach(backing_file: &Path) -> io::Result<()> {
    let name = backing_file.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default();
    let number = name.to_string_lossy().trim_start_matches("loop").parse().map_err(io::Error::other)?;
    sys::loop_clear(number)
}
