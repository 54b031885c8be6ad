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

begin() {
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$work/policy.json"
    client load --quiet --signature-policy "$work/policy.json" --input "$work/image.tar" >/dev/null
}

attached() { local name=$1; shift; client run --rm $options --name "$name" $image "$@"; }
detached() { local name=$1; shift; client run --detach $options --name "$name" $image "$@"; }
terminal() { local name=$1; shift; client run --rm --tty $options --name "$name" $image "$@"; }
inside() { client exec "$@"; }
inside_terminal() { client exec --tty "$@"; }
status() { client inspect --format '{{.State.Status}}' "$1"; }
signal() { client kill "$1"; }
ended() { [ "$(status "$1")" = exited ]; }
remove() { client rm "$1"; }
gone() { ! client container exists "$1"; }
