# shellcheck shell=sh
# Sourced by scripts that run a holdfast-central of their own, after holdfastd.sh. Its data are in $place/central, and it listens on
# loopback.

: "${binaries:?}" "${place:?}"
central=
central_port=
# Of serve: all of them, and those that say how it is reached, for who wants others.
central_options=
central_reached=

# Runs a command on central's data.
central() { # token create ...
	holdfast-central "$@" --data "$place/central"
}

central_answers() {
	python3 - "$central_port" <<-'PYTHON'
		import ssl, sys, urllib.request
		anything = ssl._create_unverified_context()
		urllib.request.urlopen(f"https://localhost:{sys.argv[1]}/readyz", context=anything, timeout=2)
	PYTHON
} 2>/dev/null

free_port() {
	python3 -c 'import socket
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    print(free.getsockname()[1])'
}

# Starts it, or starts it again at the same address.
start_central() {
	[ -n "$central_port" ] || central_port=$(free_port)
	central_options="--data $place/central ${central_reached:---listen 127.0.0.1:$central_port --host localhost}"
	# shellcheck disable=SC2086 # options
	holdfast-central serve $central_options >> "$place/central.log" 2>&1 &
	central=$!
	within_life_of "$central" 20 central_answers
}

kill_central() {
	kill -9 "$central"
	wait "$central" 2>/dev/null || true
	central=
}

# Safe to call twice.
stop_central() {
	[ -n "$central" ] || return 0
	kill "$central" 2>/dev/null || true
	wait "$central" || return
	central=
}

# Prints one number of the spool of readings, as the device has it.
spool_number() { # written|acknowledged|...
	holdfast uplink --json | python3 -c 'import json, sys
for queue in json.load(sys.stdin)["queues"]:
    if queue["name"] == "readings": print(queue[sys.argv[1]])' "$1"
}

# How many readings central has.
central_readings() {
	python3 -c 'import sqlite3, sys
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as database:
    print(database.execute("SELECT count(*) FROM reading").fetchone()[0])' "$place/central/central.sqlite"
}

# Says what central has of the readings of all devices, and fails unless each number is there once.
central_account() {
	python3 - "$place/central/central.sqlite" <<-'PYTHON'
		import sqlite3, sys
		with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as database:
		    one = lambda query: database.execute(query).fetchone()[0]
		    numbers = one("SELECT coalesce(sum(applied), 0) FROM spool WHERE queue = 'readings'")
		    there = one("""SELECT count(*) FROM (SELECT DISTINCT origin.spool, reading.sequence
		        FROM reading JOIN origin ON origin.number = reading.origin)""")
		    twice = one("""SELECT count(*) FROM (SELECT 1 FROM reading JOIN origin ON origin.number = reading.origin
		        GROUP BY origin.spool, reading.series, reading.sequence HAVING count(*) > 1)""")
		print(f"{there} readings of {numbers} numbers, {numbers - there} missing, {twice} twice")
		sys.exit(0 if there == numbers and twice == 0 else 1)
	PYTHON
}
