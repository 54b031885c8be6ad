#!/bin/bash
# Runs the command lines of every day with Docker, podman, podman without root, buildah and ctr twice, with a runtime (by default the
# bundled one) and with runc, and shows where exit code or output differ:
#
#     runtime/stack/compare.sh [RUNTIME] [docker|podman|rootless|buildah|containerd ...]
#
# OTHER is the runtime to compare with, `runc` by default. LINES_WITH, a pattern, chooses command lines by their text, and SHOW=yes shows what all come to. ENGINES, a directory into which
# packages were unpacked, is laid over `/`: so engines of another age can be compared without being installed. What is known and intended is in
# ../DIFFERENCES.md. It takes some minutes, is no part of the tests, and needs what stack.sh needs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
other=$(command -v "${OTHER:-runc}") || { echo "compare: no runtime ${OTHER:-runc} to compare with" >&2; exit 2; }
other=$(realpath -e "$other")
case "${1:-}" in */*) runtime=$1; shift ;; *) runtime=$here/../../target/x86_64-unknown-linux-gnu/debug/plimsoll-runtime ;; esac
[ $# -gt 0 ] || set -- docker podman rootless buildah containerd
export other STACK_STORY=comparison.sh
"$here/stack.sh" "$runtime" "$@"
