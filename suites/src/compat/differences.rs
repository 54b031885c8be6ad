//! Differences between runtimes that have caused problems for users, each with its checks, as prefixes of ids. The specification decides
//! some of them, so their checks are not in this module.

/// One row a difference.
const DIFFERENCES: [(&str, &[&str]); 30] = [
    ("exit code of exec", &["compat.exec.failure-code", "process.exec.exit-code", "process.run.exit-code"]),
    ("a control group that is frozen before", &["compat.create.cgroup/frozen-before"]),
    ("two containers in one control group", &["compat.create.cgroup/shared-by-two"]),
    ("flags of bind mounts", &["mounts.bind.decided-by-options", "mounts.bind.source", "mounts.option"]),
    ("a current directory that is missing", &["compat.create.cwd/made-when-missing", "process.cwd.missing"]),
    ("HOME", &["compat.home", "compat.exec.home", "process.env.home"]),
    ("umask", &["process.user.umask", "process.exec.user/umask", "compat.exec.inherited/umask"]),
    ("delete of a created container", &["compat.delete.created", "lifecycle.delete"]),
    ("delete by force of no container", &["compat.delete.force/unknown-container"]),
    ("kill of a stopped container", &["lifecycle.kill", "compat.kill.all"]),
    (
        "time and failure of poststart hooks",
        &["hooks.poststart", "hooks.order", "hooks.failure-by-exit-code/poststart"],
    ),
    ("the bundle in the state of a hook", &["hooks.state"]),
    ("order and environment of hooks", &["hooks.order", "hooks.listed-order", "hooks.environment"]),
    ("the form of the state of a hook", &["compat.hooks.state/plain-slashes"]),
    ("additional groups", &["process.exec.user/groups", "process.exec.user/no-groups", "compat.exec.inherited/users"]),
    (
        "descriptors that are handed over",
        &["compat.create.preserve-fds", "compat.create.sockets", "process.fds.preserved"],
    ),
    ("where the limits are", &["compat.create.cgroup/limits-where-the-process-is", "linux.cgroups-path"]),
    ("rules for devices", &["linux.devices.denied-by-the-cgroup", "linux.devices.not-listed"]),
    ("memory, swap and no processes at all", &["compat.update"]),
    ("what update leaves alone", &["compat.update"]),
    ("filters, of exec too", &["seccomp.action", "seccomp.several-args", "compat.exec.filter", "seccomp.notify"]),
    ("capabilities", &["process.capabilities.sets", "process.capabilities.ungrantable", "process.exec.capabilities"]),
    ("a host name without a namespace for it", &["config.hostname"]),
    ("what exec takes from the container", &["compat.exec.inherited", "compat.exec.options", "compat.exec.place"]),
    ("a missing program", &["compat.create.refused", "process.exec.refused", "process.args.path-search"]),
    ("features", &["features."]),
    ("state and list", &["compat.state.stopped", "compat.list", "lifecycle.state", "compat.create.default-root"]),
    ("the bundle by default, terminals", &["compat.create.bundle", "compat.create.terminal", "process.console-size"]),
    ("mode of a tmpfs", &["mounts.tmpfs-mode"]),
    ("propagation, and mounts that are left", &["mounts.propagation", "linux.rootfs-propagation", "mounts.idmap"]),
];

#[test]
fn each_difference_has_checks() {
    let ids: Vec<String> = crate::all().into_iter().map(|check| check.id).collect();
    for (what, beginnings) in DIFFERENCES {
        for beginning in beginnings {
            assert!(ids.iter().any(|id| id.starts_with(beginning)), "{what}: {beginning}");
        }
    }
}
