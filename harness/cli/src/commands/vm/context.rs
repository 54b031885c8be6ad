//! Passes the `plimsoll vm` command into the machine, so that results name the whole command that replays a check.

use std::path::absolute;

use plimsoll_vm::environment::{Accelerator, Lsm};

use super::matrix::MachineConfig;
use crate::args::Vm;

/// The words after `plimsoll`, up to those of the command inside.
pub fn words(args: &Vm, machine: &MachineConfig, accelerator: Accelerator) -> Vec<String> {
    let mut words = vec!["vm".to_owned()];
    let mut add = |option: &str, value: String| words.extend([format!("--{option}"), value]);
    add("kernel", machine.kernel.image.to_string_lossy().into_owned());
    add("cgroup", machine.cgroups.to_string());
    if machine.lsm != Lsm::None {
        add("lsm", machine.lsm.to_string());
    }
    for path in &args.add {
        add("add", absolute(path).unwrap_or_else(|_| path.clone()).to_string_lossy().into_owned());
    }
    if args.memory != MEMORY {
        add("memory", args.memory.to_string());
    }
    if let Some(cpus) = args.cpus {
        add("cpus", cpus.to_string());
    }
    if accelerator == Accelerator::Kvm {
        add("accel", "kvm".to_owned());
    }
    words.push("--".to_owned());
    words
}

/// The default of `--memory`, in MiB.
pub const MEMORY: u32 = 1024;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use plimsoll_vm::environment::Cgroups;
    use plimsoll_vm::kernel::Kernel;

    use super::*;
    use crate::args::{Arguments, Command};

    fn vm(words: &[String]) -> Vm {
        let words = [&["plimsoll".to_owned()], words].concat();
        let matches = Arguments::command().try_get_matches_from(words).unwrap();
        let Command::Vm(vm) = Arguments::of(&matches).unwrap().command else { panic!("no machine") };
        vm
    }

    #[test]
    fn the_words_mean_the_machine() {
        let kernel = Kernel { image: "/a kernel".into(), release: "6.1".to_owned(), modules: None };
        let machine = MachineConfig { kernel, cgroups: Cgroups::Hybrid, lsm: Lsm::Selinux };
        let given = "vm --add a --memory 2048 --cpus 3 --accel auto -- run --spec 1.2.0".split(' ');
        let given: Vec<String> = given.map(str::to_owned).collect();
        let again = [words(&vm(&given), &machine, Accelerator::Kvm), vec!["run".to_owned()]].concat();
        let told = vm(&again);
        assert_eq!(
            (told.kernel, told.cgroup, told.lsm),
            (vec!["/a kernel".into()], vec![Cgroups::Hybrid], vec![Lsm::Selinux])
        );
        assert_eq!((told.add, told.memory, told.cpus), (vec![absolute("a").unwrap()], 2048, Some(3)));
        assert_eq!((told.accel, told.command), (crate::args::Acceleration::Kvm, vec!["run".into()]));
    }
}
