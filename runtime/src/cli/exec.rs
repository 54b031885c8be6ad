//! The arguments of `exec`.

use std::path::PathBuf;

use clap::Args;

use super::args::{Global, number};
use crate::cgroup::Below;
use crate::launch::LaunchRequest;
use crate::operation::exec::Changes;

#[derive(Debug, Args)]
pub(super) struct Exec {
    /// The container
    id: String,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
    /// File with a `process` object
    #[arg(short, long, value_name = "FILE")]
    process: Option<PathBuf>,
    /// Allocate a terminal
    #[arg(short, long)]
    tty: bool,
    /// Do not wait for the process
    #[arg(short, long)]
    detach: bool,
    /// Send the terminal to this socket
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Send a pidfd of the process to this socket
    #[arg(long, value_name = "SOCKET")]
    pidfd_socket: Option<PathBuf>,
    /// Write the pid of the process to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Current directory in the container
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Additional environment variable: NAME=value
    #[arg(short, long, value_name = "VARIABLE")]
    env: Vec<String>,
    /// User and group of the process
    #[arg(short, long, value_name = "UID[:GID]")]
    user: Option<String>,
    /// Additional groups
    #[arg(short = 'g', long, value_name = "GID", value_parser = number::<u32>)]
    additional_gids: Vec<u32>,
    /// Additional capabilities
    #[arg(short, long, value_name = "CAP")]
    cap: Vec<String>,
    /// Set no_new_privs
    #[arg(long)]
    no_new_privs: bool,
    /// SELinux label
    #[arg(long, value_name = "LABEL")]
    process_label: Option<String>,
    /// AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    apparmor: Option<String>,
    /// Pass this many descriptors after standard error
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::<u32>)]
    preserve_fds: u32,
    /// Do not fail if the container is paused; the process runs when it is resumed
    #[arg(long)]
    pub ignore_paused: bool,
    /// Cgroup below that of the container, which must exist [default: where the init process is]
    #[arg(long, value_name = "[CONTROLLERS:]PATH")]
    cgroup: Vec<Below>,
}

impl Exec {
    /// The request and the changes to the process.
    pub fn split(self, global: &Global) -> (LaunchRequest, Changes) {
        let request = LaunchRequest {
            id: self.id,
            state_root: global.state_root(),
            console_socket: self.console_socket,
            pid_file: self.pid_file,
            pidfd_socket: self.pidfd_socket,
            detach: self.detach,
            preserve_fds: self.preserve_fds,
            cgroups: self.cgroup,
            ..LaunchRequest::default()
        };
        let changes = Changes {
            process: self.process,
            args: self.args,
            user: self.user,
            additional_gids: self.additional_gids,
            cwd: self.cwd,
            env: self.env,
            tty: self.tty,
            cap: self.cap,
            no_new_privs: self.no_new_privs,
            process_label: self.process_label,
            apparmor: self.apparmor,
        };
        (request, changes)
    }
}
