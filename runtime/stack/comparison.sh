# The story of compare.sh: each line of `lines/` is a program for the shell. It runs twice, with `runtime` being one and the other, by
# the functions below and those of the engine.

run() { client run --rm $options "$@"; }
make() { client create $options --name "$@" >/dev/null; }

# kept NAME [OPTION...] : a container that stays until `drop NAME`.
kept() { local name=$1; shift; client run --detach $options --name "$name" "$@" $image sleep 1000 >/dev/null; }
drop() { client kill "$1" >/dev/null 2>&1; client rm --force "$1" >/dev/null; }

# code COMMAND...: what it says, and its exit code, since a line goes on.
code() { local code=0; "$@" || code=$?; echo "code $code"; }

# on_terminal FUNCTION ARGUMENT...: one of the engine's functions on a terminal.
on_terminal() { with_terminal "$here/call.sh" "$engine" "$@"; }

# story ENGINE: runs all lines with both runtimes.
story() {
    local engine=$1 line same=0 different=0
    export engine
    begin
    while IFS= read -r line <&3; do
        case "$line" in '' | '#'*) continue ;; esac
        [[ $line == *${LINES_WITH:-}* ]] || continue
        look "$runtime" "$line" >"$work/seen/own"
        look "$other" "$line" >"$work/seen/other"
        if cmp -s "$work/seen/own" "$work/seen/other"; then
            same=$((same + 1))
        else
            different=$((different + 1))
            echo "DIFF $engine: $line"
            diff --label own --label other -U1 "$work/seen/own" "$work/seen/other" | tail -n +4 | cut -c1-300 || true
        fi
        [ -z "${SHOW:-}" ] || { echo "---- $engine: $line"; cut -c1-300 "$work/seen/own"; }
    done 3< <(lines_of "$engine")
    echo "$engine: $same lines alike, $different differ"
    failed=$((failed + different))
}

lines_of() {
    case $1 in docker | podman | rootless) cat "$here/lines/common" ;; esac
    case $1 in rootless) ;; *) cat "$here/lines/$1" ;; esac
}

# look RUNTIME LINE: what the line comes to, without what is another each time.
look() {
    local code=0
    runtime=$1 timeout 60 bash -c '. "$here/steps.sh"; . "$here/$engine.sh"; . "$here/comparison.sh"; set +e; eval "$1"' look "$2" \
        >"$work/seen/said" 2>"$work/seen/complained" </dev/null || code=$?
    { cat "$work/seen/said" "$work/seen/complained"; echo "exit code $code"; } | tr -d '\r\0' | sed 's/\^@//g' | scrub
}

scrub() {
    sed -E -e "s#$runtime|$other#RUNTIME#g" \
        -e 's/\b[0-9a-f]{64}\b/ID/g; s/\b[0-9a-f]{12}\b/ID/g' \
        -e 's/time="[^"]*"/TIME/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+( ?(Z|[+-][0-9:]+))?/TIME/g' \
        -e 's/RUNTIME: .*: (OCI )/RUNTIME: …: \1/; s/(OCI runtime[^:]*|failed to create shim[^:]*|(runtime|shim) [a-z ]*(failed|error)): .*/\1: …/' \
        -e 's/(error running container: from RUNTIME creating container for [^:]*): .*/\1: …/' \
        -e 's/(exec failed|runtime exec failed)[^:]*: .*/\1: …/'
}
