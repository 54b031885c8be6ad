//! What all machines of one call share, and one machine's run.

use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use plimsoll_vm::environment::Accelerator;
use plimsoll_vm::error::Error;
use plimsoll_vm::job::Job;
use plimsoll_vm::machine::{self, Completed, Listener, Live};
use plimsoll_vm::pack::pack;
use plimsoll_vm::qemu::Hardware;

use super::cargo::Cargo;
use super::wanted::Wanted;
use super::within;
use crate::args::{Acceleration, Vm};
use crate::output::say;
use crate::session::interrupted;

/// The longest that a trial boot with the processor's help may take. Where that works, it takes a second.
const PROBE: Duration = Duration::from_secs(15);

/// What all machines of one call share.
#[derive(Clone, Debug)]
pub struct Trial<'t> {
    args: &'t Vm,
    cargo: &'t Cargo,
    accelerator: Accelerator,
}

impl<'t> Trial<'t> {
    /// Settles how instructions are carried out, by a trial boot of `first` when it is to be found out.
    pub fn prepare(args: &'t Vm, cargo: &'t Cargo, first: &Wanted) -> Result<Self, Error> {
        let mut trial = Self { args, cargo, accelerator: Accelerator::Kvm };
        let works = match args.accel {
            Acceleration::Tcg => false,
            Acceleration::Kvm => true,
            Acceleration::Auto => trial.probe(first)?,
        };
        if !works {
            trial.accelerator = Accelerator::Tcg;
        }
        Ok(trial)
    }

    fn probe(&self, machine: &Wanted) -> Result<bool, Error> {
        let root = self.root(machine)?;
        let works = machine::gets_ready(&self.hardware(machine), &root, PROBE)?;
        let found = if works { "works: using it" } else { "does not work here: going on by software" };
        say(&format!("plimsoll: kvm {found}"));
        Ok(works)
    }

    /// Runs the command in one machine.
    pub fn run(&self, machine: &Wanted, tell: &mut dyn FnMut(Live<'_>)) -> Result<Completed, Error> {
        machine.kernel.fit_for(machine.lsm)?;
        let root = self.root(machine)?;
        machine::run(&self.hardware(machine), &root, &mut Listener { tell, interrupted: &interrupted })
    }

    /// What the command is to leave.
    pub fn returns(&self) -> &[PathBuf] {
        &self.cargo.returns
    }

    fn root(&self, machine: &Wanted) -> Result<Vec<u8>, Error> {
        let job = Job {
            arguments: self.arguments(machine),
            directory: self.cargo.directory.clone(),
            variables: self.cargo.variables.clone(),
            cgroups: machine.cgroups,
            lsm: machine.lsm,
            returns: self.cargo.returns.clone(),
            modules: Vec::new(),
        };
        pack(&machine.kernel, &self.cargo.programs, &self.cargo.files, &job)
    }

    /// The words of the command, and for those that name commands to the user, how the user called this one.
    fn arguments(&self, machine: &Wanted) -> Vec<String> {
        let words = within::words(self.args, machine, self.accelerator);
        let told = self.cargo.judges.then(|| format!("--within={}", serde_json::Value::from(words)));
        told.into_iter().chain(self.cargo.arguments.iter().cloned()).collect()
    }

    fn hardware(&self, machine: &Wanted) -> Hardware {
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
