# The steps of a story in the words of docker's command line, which podman has too. `client` calls either.

attached() { local name=$1; shift; client run --rm $options --name "$name" $image "$@"; }
detached() { local name=$1; shift; client run --detach $options --name "$name" $image "$@"; }
terminal() { local name=$1; shift; client run --rm --tty $options --name "$name" $image "$@"; }
inside() { client exec "$@"; }
inside_terminal() { client exec --tty "$@"; }
status() { client inspect --format '{{.State.Status}}' "$1"; }
signal() { client kill "$1"; }
ended() { [ "$(status "$1")" = exited ]; }
remove() { client rm "$1"; }
gone() { ! client container inspect "$1"; }
