//! A compiled filter and its flags.

use super::arch::native;
use super::compile::compile;
use super::handover::Handover;
use super::instruction::Instruction;
use super::sys;
use crate::config::{Flag, Seccomp};
use crate::error::{Context, Error, Result};

/// `BPF_MAXINSNS` of linux/bpf_common.h.
const LONGEST: usize = 4096;

/// A program for the kernel, ready to be installed.
#[derive(Debug, Clone)]
pub struct Filter {
    program: Vec<Instruction>,
    flags: u32,
    notifies: bool,
}

impl Filter {
    /// Compiles a profile for this machine.
    ///
    /// # Errors
    /// When the program is longer than the kernel takes.
    pub fn compile(profile: &Seccomp) -> Result<Self> {
        let program = compile(profile, native());
        if program.len() > LONGEST {
            let length = program.len();
            return Err(Error::new(format!(
                "linux.seccomp: the profile needs {length} instructions and the kernel takes {LONGEST}; \
                 use fewer conditions on arguments"
            )));
        }
        let notifies = profile.notifies();
        let flags = profile.flags.iter().filter(|flag| notifies || **flag != Flag::WaitKillableRecv);
        let flags = flags.fold(0, |bits, flag| bits | bit(*flag));
        Ok(Self { program, flags, notifies })
    }

    /// Installs the filter for the calling thread and what it executes. From its return on every system call is
    /// filtered, so what can be done before must be done before. The caller has no_new_privs or CAP_SYS_ADMIN.
    ///
    /// A profile that notifies needs the handover, through which the runtime takes the listener; this returns once it
    /// has done so.
    ///
    /// # Errors
    /// When the kernel refuses the filter or a flag.
    pub fn install(&self, handover: Option<&Handover>) -> Result<()> {
        let installed = match handover.filter(|_| self.notifies) {
            None if self.notifies => return Err(Error::new("a profile that notifies needs a handover")),
            None => sys::install(&self.program, self.flags).map(drop),
            Some(handover) => {
                let listener = sys::install(&self.program, self.flags | sys::NEW_LISTENER);
                handover.offer(listener.as_ref().ok().and_then(Option::as_ref));
                // Closing it would be a system call, which the filter may hold up: the exec does it.
                listener.map(std::mem::forget)
            }
        };
        installed.doing(|| "install the seccomp filter".into())
    }

    /// How many instructions the program has.
    pub fn length(&self) -> usize {
        self.program.len()
    }
}

/// `SECCOMP_FILTER_FLAG_…` of linux/seccomp.h.
fn bit(flag: Flag) -> u32 {
    match flag {
        Flag::Tsync => 1,
        Flag::Log => 1 << 1,
        Flag::SpecAllow => 1 << 2,
        Flag::WaitKillableRecv => 1 << 5,
    }
}

/// The flags that this kernel knows, by name.
pub fn supported_flags() -> Vec<&'static str> {
    let with = |flag: Flag| if flag == Flag::WaitKillableRecv { bit(flag) | sys::NEW_LISTENER } else { bit(flag) };
    let known = Flag::NAMES.iter().filter(|(_, flag)| sys::knows_flags(with(*flag)));
    known.map(|(name, _)| *name).collect()
}
