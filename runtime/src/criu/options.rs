//! The options of `checkpoint` and `restore` that criu has, too.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::message::Message;
use crate::config::{Config, NamespaceKind};
use crate::error::{Context, Error, Result};

/// How criu treats cgroups, by its number.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CgroupMode {
    /// Not at all.
    Ignore = 0,
    /// Restores what is missing.
    #[default]
    Soft = 3,
    /// Restores all, with their limits.
    Full = 4,
    /// Restores all, and refuses when something is there already.
    Strict = 5,
}

/// What the command line says to criu.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// Directory of the images.
    pub image_path: PathBuf,
    /// Directory of the log, if another one.
    pub work_path: Option<PathBuf>,
    /// Images of a former pre-dump, relative to the images.
    pub parent_path: Option<PathBuf>,
    /// Whether the container goes on.
    pub leave_running: bool,
    /// Whether open TCP connections are kept.
    pub tcp_established: bool,
    /// Whether TCP connections that are being made are passed over.
    pub tcp_skip_in_flight: bool,
    /// Whether open files without a name are given one.
    pub link_remap: bool,
    /// Whether connections of Unix sockets to the outside are kept.
    pub ext_unix_sk: bool,
    /// Whether the container may share a session with the outside.
    pub shell_job: bool,
    /// Whether memory is moved when it is used.
    pub lazy_pages: bool,
    /// Address and port of a server that memory is sent to.
    pub page_server: Option<(String, u16)>,
    /// Whether file locks are kept.
    pub file_locks: bool,
    /// How cgroups are treated.
    pub cgroup_mode: CgroupMode,
    /// Whether the network namespace is kept without its devices and rules.
    pub empty_network: bool,
    /// Whether memory that is stored twice is removed from the older images.
    pub auto_dedup: bool,
    /// `apparmor:PROFILE` or `selinux:LABEL` for the restored processes.
    pub lsm_profile: Option<String>,
    /// Label of the restored mounts.
    pub lsm_mount_context: Option<String>,
}

/// The opened directories, which have to stay open as long as criu works.
#[derive(Debug)]
pub struct Directories {
    images: File,
    work: Option<File>,
    log: PathBuf,
}

impl Options {
    /// Opens the directories; those that are missing are made for a dump.
    ///
    /// # Errors
    /// When one cannot be made or opened.
    pub fn open(&self, make: bool, log: &str) -> Result<Directories> {
        let images = open(&self.image_path, make)?;
        let work = self.work_path.as_deref().map(|path| open(path, true)).transpose()?;
        let log = self.work_path.as_ref().unwrap_or(&self.image_path).join(log);
        Ok(Directories { images, work, log })
    }

    /// Opens the directories anew, in the order in which [`Directories::replace`] takes them.
    ///
    /// # Errors
    /// As [`Options::open`].
    pub fn open_again(&self) -> Result<Vec<OwnedFd>> {
        let paths = [Some(self.image_path.as_path()), self.work_path.as_deref()];
        paths.into_iter().flatten().map(|path| open(path, false).map(OwnedFd::from)).collect()
    }

    /// What all requests have in common.
    pub fn message(&self, config: &Config, directories: &Directories) -> Message {
        let mut message = Message::default();
        let log = directories.log.file_name().unwrap_or_default();
        message.integer(1, number(&directories.images)).integer(9, 4).text(10, log.as_encoded_bytes());
        if let Some(work) = &directories.work {
            message.integer(17, number(work));
        }
        message.flag(4, self.ext_unix_sk).flag(5, self.tcp_established).flag(7, self.shell_job);
        message.flag(8, self.file_locks).flag(12, true).flag(16, self.auto_dedup);
        // By their mode; the older member says that there is one.
        message.flag(24, true).integer(34, self.cgroup_mode as u64);
        message.flag(48, self.lazy_pages).flag(50, true);
        if self.empty_network {
            message.integer(38, NamespaceKind::Network.clone_flag());
        }
        match config.annotations.get("org.criu.config").map(String::as_str) {
            Some("") => {}
            Some(file) => drop(message.text(51, file)),
            None => drop(message.text(51, "/etc/criu/runc.conf")),
        }
        message
    }

    /// Adds what only a dump knows.
    ///
    /// # Errors
    /// When the parent is not beside the images.
    pub fn dump(&self, message: &mut Message) -> Result<()> {
        message.flag(3, self.leave_running).flag(18, self.link_remap).flag(46, self.tcp_skip_in_flight);
        if let Some((address, port)) = &self.page_server {
            let mut server = Message::default();
            message.message(11, server.text(1, address).integer(2, (*port).into()));
        }
        if let Some(parent) = &self.parent_path {
            if parent.is_absolute() {
                return Err(Error::new("--parent-path: must be relative to --image-path"));
            }
            if !self.image_path.join(parent).is_dir() {
                return Err(Error::new(format!("--parent-path: `{}` is not there", parent.display())));
            }
            message.text(14, parent.as_os_str().as_encoded_bytes()).flag(15, true);
        }
        Ok(())
    }

    /// Adds what only a restore knows.
    pub fn restore(&self, message: &mut Message) {
        // Devices may have another number; the init process becomes a sibling of criu, which is our child.
        message.flag(6, true).flag(26, true);
        if let Some(profile) = &self.lsm_profile {
            message.text(53, profile);
        }
        if let Some(context) = &self.lsm_mount_context {
            message.text(55, context);
        }
    }
}

impl Directories {
    /// The same, opened by a process that has a mount namespace of its own: what criu mounts in them it can only mount
    /// there.
    ///
    /// # Errors
    /// When there are none.
    pub fn replace(&mut self, opened: Vec<OwnedFd>) -> Result<()> {
        let mut opened = opened.into_iter().map(File::from);
        self.images = opened.next().ok_or_else(|| Error::new("criu has not opened the images"))?;
        self.work = opened.next();
        Ok(())
    }

    /// The error of criu, with what its log says last of errors.
    pub fn explain(&self, error: &Error) -> Error {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        // Its last words only say that it failed, and what it answers is the first that went wrong, which may mean little.
        let telling = |line: &&str| line.contains("Error (") && !line.contains("FAILED");
        let said = log.lines().rev().find(telling).map_or_else(|| error.to_string(), str::to_owned);
        let cause = if said.is_empty() { String::new() } else { format!(": {}", cause(&said)) };
        Error::new(format!("criu failed{cause} (its log is `{}`)", self.log.display()))
    }
}

/// What `Error (file:line): text` says.
fn cause(said: &str) -> &str {
    let first = said.lines().next().unwrap_or_default();
    first.split_once("Error (").and_then(|(_, rest)| rest.split_once("): ")).map_or(first, |(_, text)| text).trim()
}

fn open(path: &Path, make: bool) -> Result<File> {
    let doing = || format!("open the directory `{}`", path.display());
    if make && !path.is_dir() {
        fs::DirBuilder::new().mode(0o700).create(path).doing(|| format!("make the directory `{}`", path.display()))?;
    }
    let opened = File::open(path).doing(doing)?;
    if path.is_dir() { Ok(opened) } else { Err(Error::new("it is no directory")).doing(doing) }
}

fn number(file: &File) -> u64 {
    u64::from(file.as_raw_fd().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn an_error_is_told_without_its_place_in_the_source() {
        assert_eq!(cause("(00.1) Error (criu/cr-dump.c:2053): Dumping FAILED.\n"), "Dumping FAILED.");
        assert_eq!(cause("criu ended without an answer"), "criu ended without an answer");
    }
}
