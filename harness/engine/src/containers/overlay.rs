//! Overlays over directories of the host, in the mount namespace of one check. They record what the runtime writes there, whatever else
//! happens on the host.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::containers::lab::Lab;
use crate::guard;
use crate::runtime::judgement::{StepResult, Stop};

/// Overlays that are in place; dropping them brings the directories of the host back.
#[derive(Debug)]
pub struct Overlays<'l> {
    lab: &'l Lab<'l>,
    over: Vec<PathBuf>,
    uppers: Vec<PathBuf>,
    mounted: Vec<PathBuf>,
}

impl Lab<'_> {
    /// Lays an overlay over each of these directories that this host has.
    ///
    /// # Errors
    /// [`Stop::Skip`] where the kernel cannot, say because the directories are overlays themselves.
    pub fn overlays(&self, dirs: &[&str]) -> StepResult<Overlays<'_>> {
        let mut overlays = Overlays { lab: self, over: Vec::new(), uppers: Vec::new(), mounted: Vec::new() };
        let place = File::open(&self.settings.dir)?;
        for dir in dirs.iter().map(Path::new).filter(|dir| dir.is_dir() && !dir.is_symlink()) {
            let upper = self.dir.join(format!("layer-{}", overlays.uppers.len()));
            overlays.mount_over(dir, &upper).map_err(|why| {
                Stop::Skip(format!(
                    "no overlay over {} ({why}): a host whose root is none, or a vm, can",
                    dir.display()
                ))
            })?;
            if self.settings.dir.starts_with(dir) {
                // The place of the run is a mount below it, which an overlay does not show.
                let behind = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
                let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
                mount(Some(&behind), &self.settings.dir, None::<&str>, flags, None::<&str>)?;
                overlays.mounted.push(self.settings.dir.clone());
            }
        }
        self.overlaid.replace(overlays.mounted.first().cloned());
        Ok(overlays)
    }
}

impl Overlays<'_> {
    fn mount_over(&mut self, dir: &Path, upper: &Path) -> io::Result<()> {
        let work = upper.with_extension("work");
        fs::create_dir_all(upper)?;
        fs::create_dir_all(&work)?;
        // Permissions show through, so that what may be written may still be.
        fs::set_permissions(upper, fs::metadata(dir)?.permissions())?;
        let data = format!("lowerdir={},upperdir={},workdir={}", dir.display(), upper.display(), work.display());
        mount(Some("overlay"), dir, Some("overlay"), MsFlags::empty(), Some(data.as_str()))?;
        self.mounted.push(dir.to_owned());
        self.over.push(dir.to_owned());
        self.uppers.push(upper.to_owned());
        Ok(())
    }

    /// Every file and directory that was made or changed since the layers were laid, below the directory that it is in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn written(&self) -> io::Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        for (upper, over) in self.uppers.iter().zip(&self.over) {
            let names = guard::tree(upper)?;
            found.extend(names.into_keys().map(|name| over.join(name.trim_start_matches("./"))));
        }
        Ok(found)
    }
}

impl Drop for Overlays<'_> {
    fn drop(&mut self) {
        self.lab.overlaid.take();
        for place in self.mounted.iter().rev() {
            // What remains goes with the mount namespace of the check; the guard reports it.
            match umount2(place, MntFlags::MNT_DETACH) {
                Ok(()) | Err(_) => {}
            }
        }
    }
}
