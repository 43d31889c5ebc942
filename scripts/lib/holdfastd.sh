# shellcheck shell=sh
# Sourced by scripts that run a holdfastd of their own. Expects $binaries (the folder of holdfastd and holdfast) and $place
# (a folder that is theirs), in which holdfast.toml has to say runtime_dir = "$place/run".

: "${binaries:?}" "${place:?}"
export HOLDFAST_SOCKET="$place/run/control.sock"
PATH=$binaries:$PATH
daemon=

require_binaries() { # NAME...
	for binary in "$@"; do
		[ -x "$binaries/$binary" ] || {
			echo "$(basename "$0"): $binaries/$binary is not there; run: make build" >&2
			return 1
		}
	done
}

# Tries a command ten times a second until it succeeds, at most for so many seconds, and while the daemon lives.
within() { # SECONDS COMMAND...
	within_life_of "$daemon" "$@"
}

# The same while another process lives.
within_life_of() { # PID SECONDS COMMAND...
	living=$1
	tries=$(($2 * 10))
	shift 2
	until "$@"; do
		tries=$((tries - 1))
		if [ "$tries" -le 0 ] || ! kill -0 "$living" 2>/dev/null; then
			echo "$(basename "$0"): in vain: $*" >&2
			return 1
		fi
		sleep 0.1
	done
}

runtime_answers() { holdfast status >/dev/null 2>&1; }

start_runtime() {
	if runtime_answers; then
		echo "$(basename "$0"): a runtime is already there at $HOLDFAST_SOCKET" >&2
		return 1
	fi
	holdfastd --config "$place/holdfast.toml" > "$place/log" 2>&1 &
	daemon=$!
	within 10 runtime_answers
}

# Ends the runtime and whatever it runs; safe to call twice.
stop_runtime() {
	[ -n "$daemon" ] || return 0
	kill "$daemon" 2>/dev/null || true
	wait "$daemon" || return
	daemon=
}

# Prints one key of one worker's status.
worker() { # NAME KEY
	holdfast status --json | python3 -c 'import json, sys
for worker in json.load(sys.stdin)["workers"]:
    if worker["name"] == sys.argv[1]: print(worker[sys.argv[2]])' "$1" "$2"
}

is_ready() { [ "$(worker "$1" ready)" = True ]; } # NAME

is_back() { is_ready "$1" && [ "$(worker "$1" pid)" != "$2" ]; } # NAME FORMER_PID
