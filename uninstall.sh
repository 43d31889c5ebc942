#!/bin/sh
# Takes Holdfast off this machine: stops it with all its workers, and removes what install.sh has made. Configuration, state and
# users stay, so that a later installation goes on where this one ended.
#
#   sudo holdfast-uninstall [OPTION...]
#
#   --purge        remove the configuration, the state, the users and the group too: all that is left is what other
#                  programs wrote (the journal), and a state_dir of your own
#   --prefix DIR   where it was installed; found by itself when it is /usr/local, /usr or the folder of this script
#   --root DIR     from the file system of an image at DIR
#   --dry-run      say what would be removed, and change nothing
#
# Exit status: 0 it is gone, or was not there, 1 something could not be removed, 3 not root, 64 wrong use.
set -eu

purge=
prefix=
root=
dry_run=

say() { echo "uninstall.sh: $*"; }
die() { # STATUS MESSAGE
	status=$1
	shift
	echo "uninstall.sh: $*" >&2
	exit "$status"
}
known() { # NUMBER_OF_ARGUMENTS OPTION
	[ "$1" -ge 2 ] || die 64 "$2 needs a value; see --help"
}
while [ $# -gt 0 ]; do
	case $1 in
	--prefix) known $# "$1" && prefix=$2 && shift ;;
	--root) known $# "$1" && root=$2 && shift ;;
	--purge) purge=yes ;;
	--dry-run) dry_run=yes ;;
	--help | -h)
		sed -n '2,/^set -eu/{/^set -eu/d; s/^# \{0,1\}//p;}' "$0"
		exit 0
		;;
	*) die 64 "unknown argument $1; see --help" ;;
	esac
	shift
done
if [ -n "$root" ]; then
	[ -d "$root" ] || die 64 "--root $root is no folder"
	root=$(cd "$root" && pwd -P)
	root=${root%/}
fi
[ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || die 3 "this takes root: sudo $0"

if [ -z "$prefix" ]; then
	own=$(readlink -f "$0")
	own=${own%/lib/holdfast/releases/*}
	for place in "${own#"$root"}" /usr/local /usr; do
		[ ! -d "$root$place/lib/holdfast" ] || {
			prefix=$place
			break
		}
	done
	[ -n "$prefix" ] || prefix=/usr/local
fi
prefix=${prefix%/}
lib=$prefix/lib/holdfast
is_live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

work=$(mktemp)
trap 'rm -f "$work"' EXIT
trap 'exit 130' HUP INT TERM
# Newest first: what is in a folder goes before it. A killed installation has its part in installed.new; the accounts are from a
# removal without a purge.
cat "$root$lib/installed" "$root$lib/installed.new" "$root/var/lib/holdfast/accounts" 2> /dev/null | awk '!seen[$0]++' | tac > "$work"
[ -n "$purge" ] || [ -d "$root$lib" ] || {
	say "Holdfast is not installed below $root$prefix"
	exit 0
}
listed() { # TYPE...
	for type in "$@"; do sed -n "s/^$type //p" "$work"; done
}

if [ -n "$dry_run" ]; then
	say "would stop holdfast.service and all workers, and remove:"
	listed f | sed "s|^|$root|"
	echo "$root$lib"
	if [ -n "$purge" ]; then
		for path in /etc/holdfast /var/lib/holdfast /run/holdfast; do [ ! -e "$root$path" ] || echo "$root$path"; done
		listed u g | sed 's/^/the account /'
	fi
	exit 0
fi

if is_live; then
	systemctl --quiet disable --now holdfast.service 2> /dev/null || true
	# The workers go with it; wait for the last.
	systemctl stop holdfast-workers.service 2> /dev/null || true
	! systemctl --quiet is-active holdfast.service || die 1 "holdfast.service does not stop; see: systemctl status holdfast"
else
	systemctl ${root:+--root="$root"} --quiet disable holdfast.service 2> /dev/null || true
fi

failed=
remove() { # PATH...
	rm -rf "$@" || failed=yes
}
listed f > "$work.files"
while read -r path; do
	case $path in
	"$lib"/*) ;; # last, below
	*) remove "$root$path" "$root$(dirname "$path")/.holdfast-new.$(basename "$path")" ;;
	esac
done < "$work.files"
rm -f "$work.files"
if is_live; then
	systemctl daemon-reload
	systemctl reset-failed 'holdfast*.service' 2> /dev/null || true
fi

if [ -n "$purge" ]; then
	remove "$root/etc/holdfast" "$root/var/lib/holdfast" "$root/etc/systemd/system/holdfast.service.d" \
		"$root/etc/systemd/system/holdfast-workers.service.d"
	[ -n "$root" ] || remove /run/holdfast
	for user in $(listed u); do
		! grep -q "^$user:" "$root/etc/passwd" || userdel ${root:+--prefix "$root"} "$user" || failed=yes
	done
	for group in $(listed g u); do
		! grep -q "^$group:" "$root/etc/group" || groupdel ${root:+--prefix "$root"} "$group" || failed=yes
	done
fi
[ -z "$failed" ] || die 1 "some of it could not be removed, see above; try again afterwards"
# For a purge that may follow, or another installation.
[ -n "$purge" ] || [ ! -d "$root/var/lib/holdfast" ] || grep '^[ug] ' "$work" > "$root/var/lib/holdfast/accounts" || true
remove "$root$lib"
for folder in $(listed d); do
	[ "$folder" = "$lib" ] || rmdir "$root$folder" 2> /dev/null || true
done
if [ -n "$purge" ]; then
	say "Holdfast is gone, with its configuration and state"
else
	say "Holdfast is gone; its configuration (/etc/holdfast), state (/var/lib/holdfast) and users stay (--purge removes them)"
fi
