# containerd alone, driven by ctr.

needs="containerd ctr"
socket=$work/containerd.sock
runtime_roots=/run/containerd/runc/default

client() { ctr --address "$socket" "$@"; }
options() { echo "--runtime io.containerd.runc.v2 --runc-binary $runtime --snapshotter native --cgroup /$group/$1"; }

begin() {
    cat >"$work/containerd.toml" <<TOML
version = 2
root = "$work/containerd"
state = "$work/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$socket"
TOML
    daemon containerd containerd --config "$work/containerd.toml" --log-level warn
    within 30 client version
    client image import --no-unpack "$work/image.tar" >/dev/null 2>&1 || client image import "$work/image.tar" >/dev/null
    client image ls -q | grep -q docker.io/stack/busybox:1
}

attached() { client run --rm $(options "$1") docker.io/stack/busybox:1 "$@"; }
# flagged NAME OPTION... -- PROGRAM...
flagged() {
    local name=$1 flags=()
    shift
    while [ "$1" != -- ]; do flags+=("$1"); shift; done
    client run --rm $(options "$name") "${flags[@]}" docker.io/stack/busybox:1 "$name" "${@:2}"
}
detached() { client run --detach $(options "$1") docker.io/stack/busybox:1 "$@"; }
terminal() { client run --rm --tty $(options "$1") docker.io/stack/busybox:1 "$@"; }
inside() { client task exec --exec-id "exec-$RANDOM" "$@"; }
inside_terminal() { client task exec --tty --exec-id "exec-$RANDOM" "$@"; }
status() { client task ls | grep "^$1 "; }
signal() { client task kill --signal SIGKILL "$1"; }
ended() { status "$1" | grep -q STOPPED; }
remove() { client task delete "$1" 2>/dev/null; client container rm "$1"; }
gone() { ! client container ls -q | grep -qx "$1"; }
