# podman of a user who is not root: `nobody`, who is given ids and directories of its own here. What it asks the runtime for, it
# asks as root of a user namespace.

. "$here/podman.sh"

needs="podman conmon newuidmap setpriv"
home=$work/rootless
runtime_roots=$home/run/plimsoll
options="--network none --log-driver k8s-file"

client() {
    cd "$home"
    setpriv --reuid nobody --regid nogroup --clear-groups \
        env -i PATH="$PATH" TERM=xterm USER=nobody HOME="$home" XDG_RUNTIME_DIR="$home/run" \
        podman --storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime "$home/runtime" "$@"
}

begin() {
    mkdir -p "$home/run"
    cp "$runtime" "$home/runtime"
    chown -R nobody:nogroup "$home"
    echo 'nobody:100000:65536' >"$work/ids"
    local file
    for file in /etc/subuid /etc/subgid; do
        mount --bind "$work/ids" "$file"
    done
    load
}
