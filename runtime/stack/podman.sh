# podman, which has no daemon.

needs="podman conmon"
# podman names none, so the runtime uses its own.
runtime_roots=/run/plimsoll
image=docker.io/stack/busybox:1
# Not every root may raise limits (CAP_SYS_RESOURCE), so none is raised.
options="--network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --cgroup-parent /$group"

client() {
    podman --root "$work/podman" --runroot "$work/podman-run" --tmpdir "$work/podman-tmp" --storage-driver vfs \
        --cgroup-manager cgroupfs --events-backend none --runtime "$runtime" "$@"
}

load() {
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
    client load --quiet --signature-policy "$work/policy.json" --input "$work/image.tar" >/dev/null
}

begin() { load; }

. "$here/docker_like.sh"
