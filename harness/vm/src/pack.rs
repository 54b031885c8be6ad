//! Builds the initramfs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_foreign::read;

use crate::archive::Archive;
use crate::closure;
use crate::error::Error;
use crate::job::{JOB, Job, MODULES, PROGRAM};
use crate::kernel::Kernel;
use crate::module::{Modules, WANTED};

/// This binary, on the host.
pub(crate) const OWN: &str = "/proc/self/exe";

/// Packs this binary, programs with what they need, further files, the modules of the kernel, and the job.
///
/// # Errors
/// When a file cannot be read or a library is not to be found.
pub fn pack(kernel: &Kernel, programs: &[PathBuf], files: &[PathBuf], job: &Job) -> Result<Vec<u8>, Error> {
    let mut archive = Archive::default();
    // Without a console to open, the kernel gives process 1 no standard error.
    archive.character_device(Path::new("/dev/console"), 0o600, (5, 1));
    add_file(&mut archive, Path::new(OWN), Path::new(PROGRAM))?;
    for program in programs {
        for (path, content) in closure::of(program)? {
            archive.file(&path, 0o755, &content);
        }
    }
    files.iter().try_for_each(|file| add_tree(&mut archive, file))?;
    archive.directory(&job.directory, 0o755);
    let mut job = job.clone();
    if let Some(dir) = &kernel.modules {
        for module in Modules::of(dir)?.with_dependencies(WANTED)? {
            archive.file(&Path::new(MODULES).join(&module.name), 0o600, &module.bytes);
            job.modules.push(module.name);
        }
    }
    let text = serde_json::to_vec(&job).map_err(std::io::Error::from).map_err(Error::host("write the job"))?;
    archive.file(Path::new(JOB), 0o600, &text);
    Ok(archive.finish())
}

fn add_tree(archive: &mut Archive, path: &Path) -> Result<(), Error> {
    if !path.is_dir() {
        return add_file(archive, path, path);
    }
    archive.directory(path, 0o755);
    for entry in fs::read_dir(path).map_err(Error::reading(path))? {
        add_tree(archive, &entry.map_err(Error::reading(path))?.path())?;
    }
    Ok(())
}

/// A file that goes into the machine: a regular one, and not endless.
pub(crate) fn read_program(path: &Path) -> io::Result<Vec<u8>> {
    Ok(read::whole(read::regular_file(path)?, read::PROGRAM)?)
}

fn add_file(archive: &mut Archive, from: &Path, to: &Path) -> Result<(), Error> {
    let content = read_program(from).map_err(Error::reading(from))?;
    let meta = fs::metadata(from).map_err(Error::reading(from))?;
    archive.file(to, std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777, &content);
    Ok(())
}
