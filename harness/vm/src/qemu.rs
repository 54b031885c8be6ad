//! The emulator: its command line, and the process. See qemu(1).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::process::{Child, Command, Stdio};

use nix::sys::memfd::{MFdFlags, memfd_create};
use plimsoll_engine::host::GUEST;
use plimsoll_engine::process::Capture;

use crate::environment::{Accelerator, Lsm};
use crate::error::Error;
use crate::job::PROGRAM;
use crate::kernel::Kernel;
use crate::sys;
use crate::wire::CONSOLE;

/// The emulator's program.
pub const PROGRAM_NAME: &str = "qemu-system-x86_64";

/// Of 2 MiB each. No check wants more than two at once.
const HUGE_PAGES: u32 = 8;

/// What the machine is made of.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// The kernel.
    pub kernel: Kernel,
    /// Which security module the kernel is to start.
    pub lsm: Lsm,
    /// How instructions are carried out.
    pub accelerator: Accelerator,
    /// Memory in MiB.
    pub memory: u32,
    /// Processors.
    pub processors: u16,
}

/// A machine that runs. It ends with this value, and with the process that holds it.
#[derive(Debug)]
pub struct Emulator {
    /// The process of the emulator.
    pub process: Child,
    /// The kernel's console.
    pub console: Capture,
    /// The port of what happens.
    pub live: Capture,
    /// The port for results.
    pub result: Capture,
    /// What the emulator itself complains about.
    pub complaints: Capture,
}

impl Emulator {
    /// Turns a machine on that starts from this initial root filesystem.
    ///
    /// # Errors
    /// When the emulator is not installed or cannot be executed.
    pub fn start(hardware: &Hardware, root: &[u8]) -> Result<Self, Error> {
        // Whoever listens takes what is there again and again, so nothing piles up.
        let pipe = || Capture::pipe(usize::MAX).map_err(Error::host("make a pipe"));
        let ((console, console_in), (live, live_in), (result, result_in)) = (pipe()?, pipe()?, pipe()?);
        let (complaints, complaints_in) = pipe()?;
        let root = in_memory(root).map_err(Error::host("hand the initial root filesystem over"))?;
        let mut command = Command::new(PROGRAM_NAME);
        let numbers = [&root, &console_in, &live_in, &result_in].map(AsRawFd::as_raw_fd);
        command.args(arguments(hardware, numbers)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(complaints_in);
        sys::hand_down(&mut command, vec![root, console_in, live_in, result_in]);
        let process = command.spawn().map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => {
                Error::Emulator(format!("{PROGRAM_NAME} is not installed: apt-get install qemu-system-x86"))
            }
            _ => Error::Emulator(format!("cannot execute {PROGRAM_NAME}: {why}")),
        })?;
        Ok(Self { process, console, live, result, complaints })
    }
}

impl Drop for Emulator {
    #[expect(clippy::print_stderr, reason = "what is dropped returns nothing")]
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it may stay.
        let ended = self.process.kill().and_then(|()| self.process.wait());
        if let Err(why) = ended {
            eprintln!("plimsoll: cannot end {PROGRAM_NAME} (process {}): {why}", self.process.id());
        }
    }
}

/// A file without a name, that only this process and the emulator have.
fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"plimsoll-root", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(bytes)?;
    Ok(file.into())
}

/// The numbers are the descriptors of the initial root filesystem, the console, and the two ports.
fn arguments(hardware: &Hardware, numbers: [RawFd; 4]) -> Vec<String> {
    let (accelerator, processor) = match hardware.accelerator {
        // Five levels of page tables cost time, and no address is that high here. Told that the processor copies strings
        // quickly, kernel and libc leave it to the one instruction that an emulator does byte by byte.
        Accelerator::Tcg => ("tcg,thread=multi", "max,-la57,-erms"),
        Accelerator::Kvm => ("kvm", "host"),
    };
    let fixed = [
        "-M",
        "q35",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-monitor",
        "none",
        "-accel",
        accelerator,
        "-cpu",
        processor,
    ];
    let mut arguments: Vec<String> = fixed.map(str::to_owned).to_vec();
    let [root, ports @ ..] = numbers.map(|number| format!("/proc/self/fd/{number}"));
    arguments.extend(["-initrd".to_owned(), root]);
    arguments.extend(ports.into_iter().flat_map(|port| ["-serial".to_owned(), format!("file:{port}")]));
    let own = [
        ("-smp", hardware.processors.to_string()),
        ("-m", hardware.memory.to_string()),
        ("-kernel", hardware.kernel.image.to_string_lossy().into_owned()),
        ("-append", boot_line(hardware)),
    ];
    arguments.extend(own.into_iter().flat_map(|(option, value)| [option.to_owned(), value]));
    arguments
}

/// The kernel's command line. A panic, or what leads to one later, ends the machine at once. That the timer ticks is not
/// tried out: an emulator that has to wait for a processor of the host would fail, and the kernel panic. Guards against leaks
/// between programs that trust each other here take half of the time of an emulated machine, and waits for every
/// processor to be quiet a good part of the rest. So do addresses that are drawn anew for each program: the emulator
/// translates what it has translated already, since it finds its work by address.
/// Huge pages are kept for the checks of their limits; later, memory may be in too small pieces.
fn boot_line(hardware: &Hardware) -> String {
    let accelerator = hardware.accelerator;
    let lsm = match hardware.lsm {
        // A name that no module has turns all of the exclusive ones off.
        Lsm::None => "security=none",
        Lsm::Selinux => "security=selinux selinux=1 enforcing=1",
        Lsm::Apparmor => "security=apparmor apparmor=1",
    };
    format!(
        "console={CONSOLE} quiet panic=-1 oops=panic reboot=t random.trust_cpu=on audit=0 no_timer_check mitigations=off \
         norandmaps rcupdate.rcu_expedited=1 hugepages={HUGE_PAGES} {lsm} rdinit={PROGRAM} {GUEST}={accelerator}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_line_names_what_was_asked_for() {
        let kernel = Kernel { image: "/boot/vmlinuz".into(), release: "6.1".to_owned(), modules: None };
        let mut hardware =
            Hardware { kernel, lsm: Lsm::Selinux, accelerator: Accelerator::Tcg, memory: 512, processors: 3 };
        let line = boot_line(&hardware);
        assert!(line.contains("enforcing=1") && line.ends_with("plimsoll_guest=tcg"), "{line}");
        hardware.lsm = Lsm::None;
        assert!(boot_line(&hardware).contains("security=none"));
        let arguments = arguments(&hardware, [3, 4, 5, 6]).join(" ");
        assert!(arguments.contains("-smp 3 -m 512 -kernel /boot/vmlinuz -append"), "{arguments}");
        assert!(!arguments.contains("kvm"));
    }
}
