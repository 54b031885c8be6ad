//! A start from the files of a checkpoint: criu makes the processes, the runtime all that is around them.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::process::{Pid, PidfdFlags};

use super::{LaunchRequest, Launched, Undo, confine, open_joined};
use crate::cgroup::{Cgroup, Entry, PreparedRules};
use crate::config::{Config, HookKind, NamespaceKind};
use crate::container::{Directory, Record, State, Status};
use crate::criu::{self, Criu, Directories, Message, Notice, Options, Streams, Task};
use crate::error::{Context, Error, Result};
use crate::init::{self, Gateway};
use crate::rootfs::{Root, inside, is_cgroup, pivot, plan_mounts};
use crate::sys::{self, CloneArgs};
use crate::{hook, log};

/// Brings a container back from its files, for a bundle like the one that it was made from.
///
/// # Errors
/// When the configuration is refused, the files are not there, criu is not installed, or criu fails: what was made is
/// removed then.
pub fn restore(request: &LaunchRequest, options: &Options) -> Result<Launched> {
    let bundle = request.bundle()?;
    let (config, text) = Config::load(&bundle.join("config.json"))?;
    request.check(&config, true)?;
    let mut directories = options.open(false, "restore.log")?;
    let (directory, lock) = Directory::make(&request.state_root, &request.id)?;
    let mut undo = Undo::new(directory.clone());
    let restored = (|| {
        directory.write(&directory.config(), text.as_bytes())?;
        let cgroup: Rc<dyn Cgroup> = confine::choose(request, &config, &directory)?.into();
        undo.cgroup(Rc::clone(&cgroup));
        let groups = confine::resctrl(&config, &directory)?;
        let gateway = confine::confine(&*cgroup, &config)?;
        let context = RestoreContext { request, options, config: &config, bundle: &bundle, directory: &directory };
        let restored = context.restore_processes(&*cgroup, &gateway, &mut directories, &mut undo)?;
        groups.map_or(Ok(()), |groups| groups.add(restored.0.pid))?;
        Ok((restored, cgroup))
    })();
    match restored {
        Ok(((record, pidfd, console), cgroup)) => {
            Ok(Launched { config, cgroup, directory, lock: Some(lock), record, pidfd, console, notify: None })
        }
        Err(error) => {
            undo.run(&config, &bundle);
            Err(error)
        }
    }
}

/// What the container is made from.
struct RestoreContext<'a> {
    request: &'a LaunchRequest,
    options: &'a Options,
    config: &'a Config,
    bundle: &'a Path,
    directory: &'a Directory,
}

type Restored = (Record, OwnedFd, Option<OwnedFd>);

impl RestoreContext<'_> {
    fn restore_processes(
        &self,
        cgroup: &dyn Cgroup,
        gateway: &Gateway,
        directories: &mut Directories,
        undo: &mut Undo,
    ) -> Result<Restored> {
        let joined = open_joined(&self.config.linux)?;
        let root_path = self.bundle.join(&self.config.root.path);
        let root_path = root_path.canonicalize().doing(|| format!("root.path: open `{}`", root_path.display()))?;
        let kept: Vec<_> = joined.iter().map(|(_, fd)| fd.as_fd()).collect();
        let args = CloneArgs {
            flags: NamespaceKind::Mount.clone_flag(),
            cgroup: gateway.directory.as_ref().map(OwnedFd::as_fd),
        };
        let mut criu = Criu::start(args, &kept, || self.prepare_criu(gateway, &root_path))?;
        directories.replace(std::mem::take(&mut criu.opened))?;
        let mut message = self.request(directories, cgroup, &joined, &root_path)?;
        let number = Pid::from_raw(criu.pid).ok_or_else(|| Error::new("criu has no number"))?;
        cgroup.adopt(number)?;
        cgroup_roots(criu.pid, &mut message)?;
        let (mut back, mut console) = (None, None);
        let mut device_rules = Some(cgroup.prepare_device_rules(&self.config.linux.resources.devices)?);
        let restored = criu.ask(Task::Restore, &message, &mut |notice| {
            let Notice { script, pid, fd } = notice;
            match (script.as_str(), pid, fd) {
                ("setup-namespaces", Some(pid), _) => self.hooks(pid, undo),
                ("orphan-pts-master", _, Some(master)) => {
                    console = self.request.hand_over_console(master)?;
                    Ok(())
                }
                ("post-restore", Some(pid), _) => {
                    back = Some(self.record(pid, undo)?);
                    device_rules.take().map_or(Ok(()), PreparedRules::apply)
                }
                _ => Ok(()),
            }
        });
        let pid = restored.map_err(|error| directories.explain(&error))?;
        let (record, pidfd) = match (back, pid) {
            (Some(back), _) => back,
            (None, Some(pid)) => self.record(pid, undo)?,
            (None, None) => return Err(Error::new("criu does not say what it restored")),
        };
        check_cgroup(cgroup, record.pid)?;
        Ok((record, pidfd, console))
    }

    fn request(
        &self,
        directories: &Directories,
        cgroup: &dyn Cgroup,
        joined: &[(NamespaceKind, OwnedFd)],
        root: &Path,
    ) -> Result<Message> {
        let mut message = self.options.message(self.config, directories);
        self.options.restore(&mut message);
        message.text(13, root.as_os_str().as_encoded_bytes());
        criu::restore_namespaces(self.config, joined, &mut message);
        for external in criu::external(self.config, self.bundle, cgroup)? {
            external.restore(&mut message);
        }
        Streams::load(&self.options.image_path)?.restore(&mut message);
        Ok(message)
    }

    /// In the process that becomes criu: it enters the cgroup, so that what it makes is in there, and sees the root file
    /// system as a mount, with a place for each mount to come.
    fn prepare_criu(&self, gateway: &Gateway, root: &Path) -> Result<Vec<OwnedFd>> {
        init::die_with_runtime()?;
        sys::unblock_all_signals().doing(|| "unblock the signals".into())?;
        gateway.entry.take().map_or(Ok(()), Entry::join)?;
        pivot::separate(None)?;
        let root = pivot::attach_root(root, None, None)?;
        make_places(&root, self.config, self.bundle)?;
        self.options.open_again()
    }

    fn hooks(&self, pid: i32, undo: &mut Undo) -> Result<()> {
        undo.hooks_ran();
        let annotations = &self.config.annotations;
        let state = State::new(&self.request.id, Status::Creating, Some(pid), self.bundle, annotations);
        hook::run_all(&self.config.hooks, HookKind::Prestart, &state)?;
        hook::run_all(&self.config.hooks, HookKind::CreateRuntime, &state)
    }

    fn record(&self, pid: i32, undo: &mut Undo) -> Result<(Record, OwnedFd)> {
        let number = Pid::from_raw(pid).ok_or_else(|| Error::new("the restored process has no number"))?;
        let pidfd = rustix::process::pidfd_open(number, PidfdFlags::empty());
        let pidfd = pidfd.doing(|| "open the restored process".into())?;
        undo.first_process(&pidfd)?;
        let record = Record::new(self.bundle, pid, (self.request.systemd_cgroup, self.request.no_new_keyring))?;
        record.save(self.directory)?;
        self.request.write_pid_file(pid)?;
        Ok((record, pidfd))
    }
}

/// A bundle that never ran lacks the directories and files that mounts go to. What lies on another mount is restored
/// with that.
fn make_places(root: &Root, config: &Config, bundle: &Path) -> Result<()> {
    let mut covered: Vec<PathBuf> = Vec::new();
    for planned in plan_mounts(config) {
        let place = inside(&planned.mount.destination);
        if covered.iter().any(|above| place.starts_with(above)) {
            continue;
        }
        let options = crate::rootfs::options::Options::parse(&planned.mount.options);
        let source = bundle.join(planned.mount.source.as_deref().unwrap_or_default());
        let file = options.bind.is_some() && !is_cgroup(&planned.mount) && !source.is_dir();
        if file {
            root.make_file(&place)?
        } else {
            root.make_directory(&place)?
        };
        covered.push(place);
    }
    Ok(())
}

/// Tells criu the cgroups of version 1 that stand for those in the images: its own.
fn cgroup_roots(pid: i32, message: &mut Message) -> Result<()> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).doing(|| "read the cgroups of criu".into())?;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        for controller in controllers.split(',').filter(|controller| !controller.is_empty()) {
            let mut root = Message::default();
            message.message(25, root.text(1, controller).text(2, path));
        }
    }
    Ok(())
}

/// The limits hold for what is in the cgroup; criu may have restored another one.
fn check_cgroup(cgroup: &dyn Cgroup, pid: i32) -> Result<()> {
    if cgroup.is_own() && !cgroup.processes()?.iter().any(|there| there.as_raw_nonzero().get() == pid) {
        log::warn("criu has put the container into another cgroup than the one of its limits");
    }
    Ok(())
}
