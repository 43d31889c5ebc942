#!/bin/sh
# Takes Holdfast off this machine: stops it with all its workers, and removes what install.sh has made. Configuration, state and
# users stay, so that a later installation goes on where this one ended.
#
#   sudo holdfast-uninstall [OPTION...]
#
#   --purge        remove the configuration, the state, the users and the group too: all that is left is what other
#                  programs wrote (the journal), and a state_dir of your own
#   --prefix DIR   where it was installed; found by itself
#   --root DIR     from the file system of an image at DIR
#   --dry-run      say what would be removed, and change nothing
#
# Exit status: 0 it is gone, or was not there, 1 something could not be removed, or is not from install.sh, 3 not root, 64 wrong use,
# such as another prefix than that of the installation.
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

# Where the installation is that systemd starts.
unit=
unit_prefix=
for folder in /etc/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system; do
	[ -f "$root$folder/holdfast.service" ] || continue
	unit=$folder/holdfast.service
	unit_prefix=$(sed -n 's|^ExecStart=\(/.*\)/sbin/holdfastd.*|\1|p' "$root$unit")
	break
done
if [ -z "$prefix" ]; then
	own=$(readlink -f "$0")
	own=${own%/lib/holdfast/releases/*}
	for place in "${own#"$root"}" "$unit_prefix" /usr/local /usr; do
		[ -z "$place" ] || [ ! -d "$root$place/lib/holdfast" ] || {
			prefix=$place
			break
		}
	done
	[ -n "$prefix" ] || prefix=/usr/local
fi
case $prefix in
/*[!A-Za-z0-9/._+-]* | *..* | [!/]*) die 64 "--prefix needs an absolute path of letters, digits and ._+-" ;;
esac
prefix=${prefix%/}
[ -n "$prefix" ] || die 64 "--prefix cannot be /"
if [ -n "$unit" ]; then
	# The same folder by another name, such as that of a link, is the same.
	if [ -n "$unit_prefix" ] && [ "$(readlink -m "$root$prefix")" = "$(readlink -m "$root$unit_prefix")" ]; then
		prefix=$unit_prefix
	fi
	if [ -n "$unit_prefix" ] && [ "$prefix" != "$unit_prefix" ] && [ -d "$root$unit_prefix/lib/holdfast" ]; then
		die 64 "it is installed below $root$unit_prefix, not $root$prefix; nothing was changed: use --prefix $unit_prefix"
	fi
	[ -d "$root$prefix/lib/holdfast" ] || die 1 "$root$unit is there, and is not from an installation below $root$prefix; nothing" \
		"was changed: remove what starts ${unit_prefix:-there} the way it came, then that unit"
fi
lib=$prefix/lib/holdfast
[ -z "$root" ] || for folder in "$lib" "$prefix/bin" "$prefix/sbin" /etc/holdfast /etc/systemd/system /var/lib/holdfast; do
	case $(readlink -m "$root$folder") in
	"$root"/*) ;;
	*) die 1 "$root$folder leads out of the image, to $(readlink -m "$root$folder"): make the link in it a relative one" ;;
	esac
done
is_live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

trap 'exit 130' HUP INT TERM
# Newest first: what is in a folder goes before it. A killed installation has its part in installed.new; the accounts are from a
# removal without a purge. Not in a file: the disk may be full.
entries=$(cat "$root$lib/installed" "$root$lib/installed.new" "$root/var/lib/holdfast/accounts" 2> /dev/null | awk '!seen[$0]++' | tac)
[ -n "$purge" ] || [ -d "$root$lib" ] || {
	say "Holdfast is not installed below $root$prefix"
	exit 0
}
listed() { # TYPE...
	for type in "$@"; do printf '%s\n' "$entries" | sed -n "s/^$type //p"; done
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
for path in $(listed f); do
	case $path in
	"$lib"/*) ;; # last, below
	*) remove "$root$path" "$root$(dirname "$path")/.holdfast-new.$(basename "$path")" ;;
	esac
done
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
[ -n "$purge" ] || [ ! -d "$root/var/lib/holdfast" ] || printf '%s\n' "$entries" | grep '^[ug] ' > "$root/var/lib/holdfast/accounts" || true
remove "$root$lib"
for folder in $(listed d); do
	[ "$folder" = "$lib" ] || rmdir "$root$folder" 2> /dev/null || true
done
if [ -n "$purge" ]; then
	say "Holdfast is gone, with its configuration and state"
else
	say "Holdfast is gone; its configuration (/etc/holdfast), state (/var/lib/holdfast) and users stay (--purge removes them)"
fi
