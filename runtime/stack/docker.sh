# dockerd on a containerd of its own, driven by docker.

needs="dockerd docker containerd"
export DOCKER_HOST=unix://$work/docker.sock
runtime_roots="$work/docker-exec/runtime-runc/moby $work/docker-exec/runtime-plimsoll/moby"
image=stack/busybox:1
[ "$runtime" = "${other:-}" ] && named=other || named=plimsoll
options="--network none --runtime $named --cgroup-parent /$group"

client() { docker "$@"; }

begin() {
    daemon dockerd dockerd --data-root "$work/docker" --exec-root "$work/docker-exec" --pidfile "$work/docker.pid" \
        --host "$DOCKER_HOST" --iptables=false --ip6tables=false --bridge=none --storage-driver vfs \
        --exec-opt native.cgroupdriver=cgroupfs --add-runtime "plimsoll=$runtime" ${other:+--add-runtime "other=$other"} --log-level warn
    within 60 docker version
    docker load --quiet --input "$work/image.tar" >/dev/null
}

. "$here/docker_like.sh"
