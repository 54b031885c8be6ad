//! The arguments of `checkpoint` and `restore`.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::args::{Global, number};
use crate::criu::{CgroupMode, Options};
use crate::error::{Context, Result};
use crate::launch::LaunchRequest;
use crate::number::plain;
use crate::operation::checkpoint::Extent;

/// What both have in common.
#[derive(Debug, Args)]
struct Images {
    /// Directory of the checkpoint
    #[arg(long, value_name = "DIR", default_value = "./checkpoint")]
    image_path: PathBuf,
    /// Directory of CRIU's log [default: that of the files]
    #[arg(long, value_name = "DIR")]
    work_path: Option<PathBuf>,
    /// Checkpoint established TCP connections
    #[arg(long)]
    tcp_established: bool,
    /// Allow Unix sockets that are connected outside of the container
    #[arg(long)]
    ext_unix_sk: bool,
    /// Allow a session or terminal from outside of the container
    #[arg(long)]
    shell_job: bool,
    /// Transfer memory on demand
    #[arg(long)]
    lazy_pages: bool,
    /// Checkpoint file locks
    #[arg(long)]
    file_locks: bool,
    /// How CRIU handles cgroups
    #[arg(long, value_name = "MODE", value_enum, default_value = "soft")]
    manage_cgroups_mode: CgroupMode,
    /// Create the namespace, but do not restore its contents
    #[arg(long, value_name = "NAMESPACE", value_enum)]
    empty_ns: Vec<Emptied>,
    /// Remove duplicate memory pages from the older files
    #[arg(long)]
    auto_dedup: bool,
}

/// The namespaces that can be left empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emptied {
    Network,
}

#[derive(Debug, Args)]
pub(super) struct Checkpoint {
    /// The container
    id: String,
    #[command(flatten)]
    images: Images,
    /// Directory of an earlier pre-dump, relative to --image-path
    #[arg(long, value_name = "DIR")]
    parent_path: Option<PathBuf>,
    /// Leave the container running
    #[arg(long)]
    leave_running: bool,
    /// Skip TCP connections that are not established yet
    #[arg(long)]
    tcp_skip_in_flight: bool,
    /// Allow open files that were unlinked
    #[arg(long)]
    link_remap: bool,
    /// Descriptor that gets a byte when --lazy-pages is ready
    #[arg(long, value_name = "FD", value_parser = number::<u32>)]
    status_fd: Option<u32>,
    /// Send memory to a CRIU page server
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = server)]
    page_server: Option<(String, u16)>,
    /// Write memory alone and let the container go on; a later checkpoint names it by --parent-path
    #[arg(long)]
    pre_dump: bool,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The container's id
    id: String,
    /// Directory of the bundle
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    #[command(flatten)]
    images: Images,
    /// Do not wait for the program
    #[arg(short, long)]
    detach: bool,
    /// Send the terminal to this socket
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Write the pid of the container's process to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// No effect: this runtime never becomes a subreaper
    #[arg(long)]
    no_subreaper: bool,
    /// Changes nothing: criu changes the root in its own way
    #[arg(long)]
    no_pivot: bool,
    /// `apparmor:PROFILE` or `selinux:LABEL` for the restored processes
    #[arg(long, value_name = "LSM:NAME")]
    lsm_profile: Option<String>,
    /// SELinux label for the restored mounts
    #[arg(long, value_name = "LABEL")]
    lsm_mount_context: Option<String>,
}

impl Images {
    fn options(self) -> Options {
        Options {
            image_path: self.image_path,
            work_path: self.work_path,
            tcp_established: self.tcp_established,
            ext_unix_sk: self.ext_unix_sk,
            shell_job: self.shell_job,
            lazy_pages: self.lazy_pages,
            file_locks: self.file_locks,
            cgroup_mode: self.manage_cgroups_mode,
            empty_network: self.empty_ns.contains(&Emptied::Network),
            auto_dedup: self.auto_dedup,
            ..Options::default()
        }
    }
}

impl Checkpoint {
    /// The container, what criu is asked for, and how much is written.
    ///
    /// # Errors
    /// When `--status-fd` is no open descriptor.
    pub fn split(self) -> Result<(String, Options, Extent)> {
        let options = Options {
            parent_path: self.parent_path,
            leave_running: self.leave_running,
            tcp_skip_in_flight: self.tcp_skip_in_flight,
            link_remap: self.link_remap,
            page_server: self.page_server,
            ..self.images.options()
        };
        let extent = Extent { pre_dump: self.pre_dump, status: self.status_fd.map(writable).transpose()? };
        Ok((self.id, options, extent))
    }
}

impl Restore {
    /// The request, and what criu is asked for.
    pub fn split(self, global: &Global) -> (LaunchRequest, Options) {
        let request = LaunchRequest {
            id: self.id,
            bundle: self.bundle,
            state_root: global.state_root(),
            console_socket: self.console_socket,
            pid_file: self.pid_file,
            detach: self.detach,
            systemd_cgroup: global.systemd_cgroup,
            rootless: global.rootless.holds(),
            ..LaunchRequest::default()
        };
        let options = Options {
            lsm_profile: self.lsm_profile,
            lsm_mount_context: self.lsm_mount_context,
            ..self.images.options()
        };
        (request, options)
    }
}

/// A descriptor of the caller, opened anew.
fn writable(number: u32) -> Result<File> {
    let opened = OpenOptions::new().write(true).open(format!("/proc/self/fd/{number}"));
    opened.doing(|| format!("--status-fd: open descriptor {number}"))
}

fn server(text: &str) -> Result<(String, u16), String> {
    let invalid = || format!("`{text}` is not ADDRESS:PORT");
    let (address, port) = text.rsplit_once(':').ok_or_else(invalid)?;
    Ok((address.trim_matches(['[', ']']).to_owned(), plain(port).ok_or_else(invalid)?))
}
