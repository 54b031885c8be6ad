# What every engine is asked for, and how the answers are looked at. An engine defines `begin`, `attached`, `detached`,
# `terminal`, `inside` (exec), `inside_terminal`, `signal` and `remove`; each takes a container's name and a program.

failed=0
daemons=()

# expect ENGINE STEP WANTED COMMAND...: one line of the report.
expect() {
    local engine=$1 step=$2 wanted=$3 seen
    shift 3
    seen=$("$@" 2>"$work/seen/stderr" | tr -d '\r') || seen="$seen (exit code ${PIPESTATUS[0]})"
    if [[ $seen == $wanted ]]; then
        echo "ok   $engine: $step"
    else
        failed=$((failed + 1))
        echo "FAIL $engine: $step: wanted \`$wanted\`, saw \`$seen\`: $(tail -n 3 "$work/seen/stderr")"
    fi
}

# exit_code COMMAND...: the code alone, as text.
exit_code() {
    local code=0
    "$@" >/dev/null || code=$?
    echo "$code"
}

# with_terminal COMMAND...: the command on a terminal of its own, as a user would call it.
with_terminal() {
    script --quiet --return --command "$(printf '%q ' "$@")" /dev/null </dev/null
}

# within SECONDS COMMAND...: until the command succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || { echo "stack: in time there was no success of: $*" >&2; return 1; }
        read -rt 0.1 <> <(:) || true
    done
}

# daemon NAME COMMAND...: starts it in the background; its words are kept for the case of an error.
daemon() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 &
    daemons+=($!)
}

end_daemons() {
    local pid
    for pid in "${daemons[@]}"; do
        kill -TERM "$pid" && wait "$pid" || true
    done
    daemons=()
}

story() {
    local engine=$1
    begin
    expect "$engine" "attached, output" "hello" attached one echo hello
    expect "$engine" "attached, exit code" "7" exit_code attached two sh -c "exit 7"
    expect "$engine" "attached, terminal" "*/dev/pts/0" with_terminal "$here/call.sh" "$engine" terminal three tty
    expect "$engine" "detached" "*" detached four sleep 1000
    expect "$engine" "status" "*[Rr][Uu][Nn]*" status four
    expect "$engine" "the runtime's own list" "*running*" runtime_list
    expect "$engine" "exec, output" "1" inside four sh -c "ps -o pid,comm | grep -c sleep"
    expect "$engine" "exec, exit code" "9" exit_code inside four sh -c "exit 9"
    expect "$engine" "exec, terminal" "*/dev/pts/*" with_terminal "$here/call.sh" "$engine" inside_terminal four tty
    expect "$engine" "kill" "*" signal four
    expect "$engine" "ends by the kill" "" within 10 ended four
    expect "$engine" "remove" "*" remove four
    expect "$engine" "is gone" "*" gone four
    expect "$engine" "nothing in the runtime's list" "" runtime_list
}

# Every state directory that an engine gave to the runtime, by its `list`.
runtime_list() {
    local root
    for root in $runtime_roots; do
        [ ! -d "$root" ] || "$runtime" --root "$root" list | tail -n +2
    done
}

summary() {
    [ "$failed" = 0 ] || { echo "stack: $failed steps failed" >&2; exit 1; }
}
