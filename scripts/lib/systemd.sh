# shellcheck shell=sh
# Sourced by checks that run below the real systemd, in the sandbox of scripts/systemd-sandbox. Expects $binaries, the folder
# of the built binaries, and the working directory to be the source tree.

: "${binaries:?}"

# Runs the script itself in the sandbox, and ends with its status; returns inside. Ends with 77, skipped, where no sandbox can
# be made.
enter_sandbox() { # FOLDER_OF_THE_BINARIES SCRIPT [ARGUMENT...]
	[ "${HOLDFAST_IN_SANDBOX-}" != yes ] || return 0
	shared=$(readlink -f "$1")
	shift
	code=125
	if [ "$(id -u)" != 0 ]; then
		reason="not root"
	elif ! grep -q overlay /proc/filesystems || ! grep -q cgroup2 /proc/filesystems || [ ! -x /lib/systemd/systemd ]; then
		reason="no overlayfs, no cgroup2 or no systemd here"
	else
		reason="the sandbox does not start"
		code=0
		# shellcheck disable=SC2154 # sensors: set by a caller that wants a chip whose temperature is a file
		HOLDFAST_IN_SANDBOX=yes ${sensors:+scripts/with-fake-sensors "$sensors" --} scripts/systemd-sandbox \
			--share "$PWD" --share "$shared" ${sensors:+--share "$sensors"} -- "$@" || code=$?
	fi
	[ "$code" != 125 ] || {
		echo "$(basename "$1"): skipped: $reason"
		code=77
	}
	exit "$code"
}

# Puts by hand into its place what the units need; install.sh is another test's.
place_service() {
	install -m 755 "$binaries/holdfastd" /usr/local/sbin/
	install -m 755 "$binaries/holdfast" "$binaries/misbehaving-worker" /usr/local/bin/
	for unit in holdfast holdfast-workers; do
		sed 's|@SBINDIR@|/usr/local/sbin|; s|@BINDIR@|/usr/local/bin|; s|@DOCDIR@|/usr/share/doc/holdfast|' \
			"systemd/$unit.service.in" > "/etc/systemd/system/$unit.service"
	done
	install -D -m 644 systemd/sysusers.d/holdfast.conf /etc/sysusers.d/holdfast.conf
	install -D -m 644 systemd/tmpfiles.d/holdfast.conf /etc/tmpfiles.d/holdfast.conf
	systemd-sysusers 2> /dev/null
	systemd-tmpfiles --create holdfast.conf
	systemctl daemon-reload
}

# Tries a command twenty times a second until it succeeds, at most for so many seconds.
within() { # SECONDS COMMAND...
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "in vain: $*"
		sleep 0.05
	done
}

fail() { # MESSAGE
	echo "$(basename "$0"): $*" >&2
	systemctl status --no-pager --lines=0 holdfast.service holdfast-workers.service >&2 || true
	journalctl --no-pager --lines=60 --output=short-precise --unit='holdfast*' >&2 || true
	exit 1
}

expect() { # WHAT COMMAND...
	what=$1
	shift
	"$@" || fail "not so: $what"
}

property() { # NAME [UNIT]
	systemctl show --value --property "$1" "${2-holdfast.service}"
}

main_pid() { property MainPID; }
is_up() { [ "$(property ActiveState "$1")" = active ]; } # UNIT
is_down() { case $(property ActiveState "$1") in inactive | failed) ;; *) return 1 ;; esac } # UNIT
is_active() { is_up holdfast.service; }

# Whether the runtime has another main process by now, and is up.
is_replaced() { # FORMER_PID
	is_active && [ "$(main_pid)" != "$1" ]
}

cgroup=/sys/fs/cgroup/system.slice

# The processes of the runtime and of all workers.
everybody() {
	find "$cgroup/holdfast.service" "$cgroup/holdfast-workers.service" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

worker_pid() { # NAME
	holdfast status --json | python3 -c 'import json, sys
for worker in json.load(sys.stdin)["workers"]:
    if worker["name"] == sys.argv[1]: print(worker["pid"] or "")' "$1"
}

all_ready() {
	holdfast status --json 2>/dev/null | python3 -c 'import json, sys
workers = json.load(sys.stdin)["workers"]
sys.exit(any(worker["state"] != "ready" for worker in workers) or len(workers) < 2)' 2>/dev/null
}

# Changes settings of a unit for the test: a line of [Service].
override() { # UNIT LINE
	mkdir -p "/run/systemd/system/$1.d"
	printf '[Service]\n%s\n' "$2" > "/run/systemd/system/$1.d/test.conf"
	systemctl daemon-reload
}

no_override() {
	rm -rf /run/systemd/system/holdfast*.d
	systemctl daemon-reload
}

# Nothing of Holdfast runs any more, wherever it went.
nothing_left() { # PID_THAT_RAN_BEFORE...
	is_down holdfast.service && is_down holdfast-workers.service || return 1
	[ ! -e "$cgroup/holdfast.service" ] && [ ! -e "$cgroup/holdfast-workers.service" ] || return 1
	for pid in "$@"; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}
