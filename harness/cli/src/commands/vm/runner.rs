//! Runs one machine, with what all machines of a call share.

use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use plimsoll_vm::environment::Accelerator;
use plimsoll_vm::error::Error;
use plimsoll_vm::job::Job;
use plimsoll_vm::machine::{self, Completed, Listener, Live};
use plimsoll_vm::pack::pack;
use plimsoll_vm::qemu::Hardware;

use super::context;
use super::files::Files;
use super::matrix::MachineConfig;
use crate::args::{Acceleration, Vm};
use crate::shared::output::say;
use crate::shared::session::interrupted;

/// The longest that a run boot with the processor's help may take. Where that works, it takes a second.
const PROBE: Duration = Duration::from_secs(15);

/// What all machines of one call share.
#[derive(Clone, Debug)]
pub struct MachineRunner<'t> {
    args: &'t Vm,
    files: &'t Files,
    accelerator: Accelerator,
}

impl<'t> MachineRunner<'t> {
    /// Settles how instructions are carried out, by a run boot of `first` when it is to be found out.
    pub fn prepare(args: &'t Vm, files: &'t Files, first: &MachineConfig) -> Result<Self, Error> {
        let mut runner = Self { args, files, accelerator: Accelerator::Kvm };
        let works = match args.accel {
            Acceleration::Tcg => false,
            Acceleration::Kvm => true,
            Acceleration::Auto => runner.probe(first)?,
        };
        if !works {
            runner.accelerator = Accelerator::Tcg;
        }
        Ok(runner)
    }

    fn probe(&self, machine: &MachineConfig) -> Result<bool, Error> {
        let root = self.root(machine)?;
        let works = machine::gets_ready(&self.hardware(machine), &root, PROBE)?;
        let found = if works { "works and is used" } else { "does not work here: using emulation" };
        say(&format!("plimsoll: kvm {found}"));
        Ok(works)
    }

    /// Runs the command in one machine.
    pub fn run(&self, machine: &MachineConfig, tell: &mut dyn FnMut(Live<'_>)) -> Result<Completed, Error> {
        machine.kernel.fit_for(machine.lsm)?;
        let root = self.root(machine)?;
        machine::run(&self.hardware(machine), &root, &mut Listener { tell, interrupted: &interrupted })
    }

    /// What the command is to leave.
    pub fn returns(&self) -> &[PathBuf] {
        &self.files.returns
    }

    fn root(&self, machine: &MachineConfig) -> Result<Vec<u8>, Error> {
        let job = Job {
            arguments: self.arguments(machine),
            directory: self.files.directory.clone(),
            variables: self.files.variables.clone(),
            cgroups: machine.cgroups,
            lsm: machine.lsm,
            returns: self.files.returns.clone(),
            modules: Vec::new(),
        };
        pack(&machine.kernel, &self.files.programs, &self.files.files, &job)
    }

    /// The words of the command, and for those that name commands to the user, how the user called this one.
    fn arguments(&self, machine: &MachineConfig) -> Vec<String> {
        let words = context::words(self.args, machine, self.accelerator);
        let told = self.files.judges.then(|| format!("--within={}", serde_json::Value::from(words)));
        told.into_iter().chain(self.files.arguments.iter().cloned()).collect()
    }

    fn hardware(&self, machine: &MachineConfig) -> Hardware {
        let processors = || u16::try_from(available_parallelism().map_or(1, usize::from)).unwrap_or(1);
        Hardware {
            kernel: machine.kernel.clone(),
            lsm: machine.lsm,
            accelerator: self.accelerator,
            memory: self.args.memory,
            processors: self.args.cpus.unwrap_or_else(processors),
        }
    }

    /// How many machines run at once.
    #[must_use]
    pub fn jobs(&self) -> usize {
        usize::from(self.args.jobs)
    }
}
