//! Maps a pid inside a pid namespace to the pid here.

use std::fs;
use std::io;

use nix::unistd::Pid;

use super::Status;
use crate::system::proc::files::is_gone;
use crate::system::proc::proc_dir::ProcDir;

/// The process that has this number in the pid namespace of `first`, or none.
pub(crate) fn with_number(number: i32, first: Pid) -> io::Result<Option<Pid>> {
    let namespace = fs::read_link(format!("/proc/{first}/ns/pid"))?;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).map(Pid::from_raw) else { continue };
        match number_in(pid, namespace.as_os_str().as_encoded_bytes()) {
            Ok(Some(own)) if own == number => return Ok(Some(pid)),
            Ok(_) => {}
            Err(why) if is_gone(&why) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(None)
}

/// The innermost number of a process, when this is its pid namespace.
fn number_in(pid: Pid, namespace: &[u8]) -> io::Result<Option<i32>> {
    let dir = ProcDir::of(pid)?;
    if dir.link("ns/pid")?.as_bytes() != namespace {
        return Ok(None);
    }
    Ok(Status::parse(&dir.text("status")?)?.nspid.last().copied())
}
