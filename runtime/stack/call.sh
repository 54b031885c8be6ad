#!/bin/bash
# One step of one engine as a program of its own, for script(1) to put on a terminal: call.sh ENGINE STEP ARGUMENT...
set -euo pipefail
. "$here/$1.sh"
[ -z "${STACK_STORY:-}" ] || . "$here/$STACK_STORY"
shift
"$@"
