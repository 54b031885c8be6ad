#!/bin/bash
# Runs containers by containerd, Docker and podman, also without root, on a runtime, by default the bundled one:
#
#     runtime/stack/stack.sh [RUNTIME] [containerd|docker|podman|rootless ...]
#
# Each engine runs a container attached, detached and with a terminal, executes a program in it, kills it and removes it.
# It needs root, and from Debian: containerd docker.io podman uidmap busybox-static. An engine that is not installed is skipped,
# and said to be. No registry and no network: the image is a static busybox, packed here.
#
# The daemons are this script's own: all their files are on a tmpfs in a mount namespace, all their processes in a pid
# namespace, and both end with it. Only cgroups could stay, below one name; that none does is checked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
group=plimsoll-stack

if [ "${STACK_INSIDE:-}" != yes ]; then
    runtime=$here/../../target/x86_64-unknown-linux-gnu/debug/plimsoll-runtime
    case "${1:-}" in */*) runtime=$1; shift ;; esac
    runtime=$(realpath -e "$runtime") || { echo "stack: no runtime at $runtime: build it with \`cargo build -p plimsoll-runtime\`" >&2; exit 2; }
    [ "$(id -u)" = 0 ] || { echo "stack: the engines need root" >&2; exit 2; }
    code=0
    STACK_INSIDE=yes unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
        "${BASH_SOURCE[0]}" "$runtime" "$@" || code=$?
    # podman makes a cgroup for its monitor and leaves it; the containers' own must be gone already. Only their parent is
    # looked at: elsewhere cgroups may come and go.
    left=
    for parent in /sys/fs/cgroup/"$group" /sys/fs/cgroup/*/"$group"; do
        [ -d "$parent" ] || continue
        [ ! -d "$parent/conmon" ] || find "$parent/conmon" -depth -type d -delete
        rmdir --ignore-fail-on-non-empty "$parent"
        [ ! -d "$parent" ] || left+=" $(find "$parent" -type d | tr '\n' ' ')"
    done
    [ -z "$left" ] || { echo "stack: cgroups are left:$left" >&2; code=1; }
    exit "$code"
fi

if [ -n "${ENGINES:-}" ]; then
    # The engines of another age, laid over the system: a copy, since an overlay takes no layer that lies in another one.
    mount -t tmpfs stack /mnt
    mkdir /mnt/{upper,work,root}
    cp -a "$ENGINES" /mnt/engines
    mount -t overlay stack -o lowerdir=/mnt/engines:/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
    for place in /proc /sys /dev; do
        mount --rbind $place /mnt/root$place
    done
    cd /mnt/root
    pivot_root . mnt
    umount --lazy /mnt
    unset ENGINES
    exec "${BASH_SOURCE[0]}" "$@"
fi

runtime=$1
shift
[ $# -gt 0 ] || set -- containerd docker podman rootless
mount -t tmpfs stack /run
export here runtime group work=/run/stack
mkdir -p "$work/seen"

. "$here/steps.sh"
. "$here/image.sh"
[ -z "${STACK_STORY:-}" ] || . "$here/$STACK_STORY"
echo "runtime: $runtime"
"$runtime" --version | head -1
make_image
for engine in "$@"; do
    . "$here/$engine.sh"
    if ! command -v $needs >/dev/null; then
        echo "skip $engine: not all of \`$needs\` are installed: apt-get install containerd docker.io podman uidmap"
        continue
    fi
    trap 'end_daemons; tail -n 15 "$work"/*.log >&2 || true' ERR
    story "$engine"
    end_daemons
done
summary
