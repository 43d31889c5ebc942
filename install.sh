#!/bin/sh
# Installs Holdfast, or upgrades it, from a release archive or a source tree. Everything is checked and written beside what is
# there before one link is switched, so that a full disk, a kill or a power cut leaves either the former version or the new one.
#
#   sudo ./install.sh [OPTION...]
#
#   --prefix DIR     where it goes (/usr/local); the units go where systemd looks for that prefix
#   --config FILE    the configuration to use; one that is there is kept as holdfast.toml.old. Without, an existing
#                    configuration is kept, and a first installation gets one that is all comments
#   --no-start       start nothing and stop nothing now; at the next boot it runs
#   --no-apt         do not install missing libraries with apt-get, only name them
#   --root DIR       into the file system of an image at DIR, of whatever machine; implies --no-start and --no-apt. A link that
#                    leads out of DIR is refused
#   --binaries DIR   in a source tree: take the programs from there instead of building them
#   --enrol TOKEN    make the device known to central, once it runs; - reads the token from standard input. Takes a running service,
#                    so neither --root nor --no-start
#   --dry-run        check everything, say what would be done, and change nothing
#
#   sudo ./install.sh --central [OPTION...]   installs holdfast-central instead, the service for a fleet (--central --help)
#
# Exit status
#    0  installed, or there already
#    1  failed for another reason; what was there before is untouched, or back
#    3  not root
#    4  the wrong machine: another architecture, no systemd or an old one, an old C library
#    5  libraries are missing
#    6  not enough space, there or in $TMPDIR
#    7  the archive is damaged
#    8  it did not start, or could not take over: after an upgrade the former version and configuration are back, and run;
#       after a first installation everything is in place, and systemd tries again
#    9  the configuration is invalid, by itself or together with the conf.d that is there
#   10  installed and running, but not enrolled: central has not answered yet (the token is kept, and tried again), or refuses it
#   64  wrong use
set -eu
umask 022

# Another program, another machine as a rule: it has its own script.
if [ "${1-}" = --central ]; then
	central=$(dirname "$(readlink -f "$0")")/scripts/install-central
	[ -x "$central" ] || {
		echo "install.sh: this archive is for devices: get the one that is called holdfast-central" >&2
		exit 64
	}
	exec "$central" "$@"
fi

prefix=/usr/local
root=
config=
start=yes
apt=yes
binaries=
dry_run=
enrol=

say() { echo "install.sh: $*"; }
die() { # STATUS MESSAGE
	status=$1
	shift
	echo "install.sh: $*" >&2
	exit "$status"
}
usage() {
	sed -n '2,/^set -eu/{/^set -eu/d; s/^# \{0,1\}//p;}' "$0"
}
known() { # NUMBER_OF_ARGUMENTS OPTION
	[ "$1" -ge 2 ] || die 64 "$2 needs a value; see --help"
}
while [ $# -gt 0 ]; do
	case $1 in
	--prefix) known $# "$1" && prefix=$2 && shift ;;
	--config) known $# "$1" && config=$2 && shift ;;
	--root) known $# "$1" && root=$2 && shift ;;
	--binaries) known $# "$1" && binaries=$2 && shift ;;
	--enrol) known $# "$1" && enrol=$2 && shift ;;
	--no-start) start= ;;
	--no-apt) apt= ;;
	--dry-run) dry_run=yes ;;
	--help | -h) usage && exit 0 ;;
	*) die 64 "unknown argument $1; see --help" ;;
	esac
	shift
done
case $prefix in
/*[!A-Za-z0-9/._+-]* | *..* | [!/]* | "") die 64 "--prefix needs an absolute path of letters, digits and ._+-" ;;
esac
prefix=${prefix%/}
[ -n "$prefix" ] || die 64 "--prefix cannot be /"
[ -z "$enrol" ] || [ -n "$start$dry_run" ] || die 64 "--enrol takes a running service, and --no-start starts none"
[ -z "$enrol" ] || [ -z "$root" ] || die 64 "--enrol takes a running service: not with --root"
# Before anything else reads from there, and while it can still be said that it is none.
[ "$enrol" != - ] || read -r enrol || die 64 "--enrol - finds no token on standard input"
case $enrol in
"" | hf1.*) ;;
*) die 64 "--enrol needs a token of central, which begins with hf1. (holdfast-central token create)" ;;
esac
if [ -n "$root" ]; then
	[ -d "$root" ] || die 64 "--root $root is no folder"
	root=$(cd "$root" && pwd -P)
	root=${root%/}
	start=
	apt=
fi
[ -z "$config" ] || [ -r "$config" ] || die 64 "--config $config cannot be read"
[ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || die 3 "this takes root: sudo $0 (or see what it would do: $0 --dry-run)"

# Where things go
lib=$prefix/lib/holdfast
etc=/etc/holdfast
case $prefix in
/usr | /usr/local) units=$prefix/lib/systemd/system sysusers=$prefix/lib/sysusers.d tmpfiles=$prefix/lib/tmpfiles.d ;;
*) units=/etc/systemd/system sysusers=/etc/sysusers.d tmpfiles=/etc/tmpfiles.d ;;
esac
# A link in an image that begins at / leads, from here, into this machine.
[ -z "$root" ] || for folder in "$lib" "$prefix/bin" "$prefix/sbin" "$prefix/share/doc" "$units" "$sysusers" "$tmpfiles" \
	"$prefix/share/bash-completion/completions" "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d" \
	"$etc/conf.d" /etc/systemd/system/multi-user.target.wants /var/lib/holdfast; do
	case $(readlink -m "$root$folder") in
	"$root"/*) ;;
	*) die 1 "$root$folder leads out of the image, to $(readlink -m "$root$folder"): make the link in it a relative one" ;;
	esac
done
is_live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
former=$(readlink "$root$lib/current" 2> /dev/null || true)
# One that was killed between the switch and the start has left what was there before it; nothing, if it was the first.
[ ! -f "$root$lib/unfinished" ] || former=$(cat "$root$lib/unfinished")

for place in /usr /usr/local "$(sed -n 's|^ExecStart=\(/.*\)/sbin/holdfastd.*|\1|p' \
	"$root/etc/systemd/system/holdfast.service" 2> /dev/null || true)"; do
	if [ -z "$place" ] || [ "$place" = "$prefix" ] || [ ! -L "$root$place/lib/holdfast/current" ]; then continue; fi
	die 1 "it is installed below $place already: upgrade it with --prefix $place, or uninstall that first"
done

no_temporary_space() { die 6 "${TMPDIR:-/tmp} is full, or cannot be written: free 1 MiB there, or name another folder in TMPDIR"; }
work=$(mktemp -d 2> /dev/null) || no_temporary_space
undo=   # whether what was made has to go again
placed= # the release that was copied
clean() {
	status=$?
	trap - EXIT
	trap '' HUP INT TERM
	if [ -n "$undo" ]; then
		rm -rf "$root$lib"/releases/.new-* ${placed:+"$placed"}
		undo_new
		say "nothing was changed" >&2
	fi
	rm -rf "$work" "$work".*
	exit "$status"
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# All that is written there later, but for a tree that is packed.
head -c 1048576 /dev/zero 2> /dev/null > "$work/probe" || no_temporary_space
rm "$work/probe"

# 1. What is to be installed: the archive that this script lies in, or what the source tree builds

existing() { # the nearest folder that is there
	folder=$1
	while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
	echo "$folder"
}
free_below() { # FOLDER: KiB
	df -Pk "$(existing "$1")" | awk 'NR == 2 { print $4 }'
}
here=$(dirname "$(readlink -f "$0")")
build() {
	owner=$(stat -c %U "$here")
	if [ "$(id -u)" = 0 ] && [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
		# Nothing in the tree should belong to root afterwards; and Swift is where the owner's PATH has it.
		"$here/scripts/install-dependencies" build || true
		# shellcheck disable=SC2016 # the inner shell expands
		runuser -u "$owner" -- sh -lc 'cd "$1" && make device' sh "$here"
	else
		make -C "$here" device
	fi
}
if [ -f "$here/SHA256SUMS" ] && [ -f "$here/REQUIRES" ]; then
	from=$here
	(cd "$from" && sha256sum --quiet --strict --check SHA256SUMS) > "$work/sums" 2>&1 || {
		cat "$work/sums" >&2
		die 7 "the archive is damaged: get and unpack it again"
	}
elif [ -f "$here/Package.swift" ]; then
	if [ -z "$binaries" ]; then
		binaries=$here/.build/release
		if [ -n "$dry_run" ]; then
			[ -x "$binaries/holdfastd" ] || {
				say "would build the programs, and could check the rest only then"
				exit 0
			}
		else
			say "building the programs"
			build || die 1 "the programs could not be built: run make device, and see what it says"
		fi
	fi
	from=$work/tree
	"$here/scripts/dist" --binaries "$binaries" --stage "$from" || {
		[ "$(free_below "${TMPDIR:-/tmp}")" -ge 1024 ] ||
			die 6 "${TMPDIR:-/tmp} is full: free some 100 MiB there, or name another folder in TMPDIR"
		die 1 "the programs could not be packed"
	}
else
	die 7 "beside this script there is neither the rest of an archive nor a source tree"
fi
version=$(cat "$from/VERSION")
id=$version-$(sha256sum < "$from/SHA256SUMS" | cut -c 1-8)
requirement() { sed -n "s/^$1 //p" "$from/REQUIRES"; }

# 2. Whether this machine can run it

architecture=$(requirement architecture)
machine_of() { # PROGRAM: what its ELF header says
	case $(od -An -tu1 -j18 -N2 "$1" 2> /dev/null | tr -s ' ') in
	" 62 0") echo x86_64 ;;
	" 183 0") echo aarch64 ;;
	" 40 0") echo armv7l ;;
	" 3 0") echo i686 ;;
	" 243 0") echo riscv64 ;;
	*) return 1 ;;
	esac
}
# Not of the kernel: a 64-bit kernel may carry a 32-bit system.
machine=
for program in /bin/sh /usr/bin/dash /usr/bin/env /bin/busybox /usr/bin/tar; do
	machine=$(machine_of "$root$program") && break
done
[ -n "$machine" ] || [ -n "$root" ] || machine=$(uname -m)
[ "$machine" = "$architecture" ] ||
	die 4 "this is for $architecture, and ${root:-this machine} is ${machine:-of an unknown kind}: get the archive for that" \
		"machine, or install from the sources there"
if [ -z "$root" ]; then
	command -v systemctl > /dev/null || die 4 "there is no systemd here, which Holdfast needs to be kept alive itself"
	if is_live; then
		[ "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 247 ] || die 4 "systemd 247 or later is needed"
	elif [ -n "$start" ]; then
		die 4 "systemd does not run here: use --no-start to prepare an image from inside, or --root from outside"
	fi
fi
for program in systemctl systemd-sysusers systemd-tmpfiles flock; do
	command -v "$program" > /dev/null || die 4 "$program is missing; on Debian it is in the package systemd or util-linux"
done

folders() { # where the dynamic linker looks
	echo "$root/usr/lib/$architecture-linux-gnu" "$root/lib/$architecture-linux-gnu" "$root/usr/lib64" "$root/lib64" \
		"$root/usr/lib" "$root/lib"
}
library_path() { # SONAME
	for folder in $(folders); do
		[ ! -e "$folder/$1" ] || {
			echo "$folder/$1"
			return 0
		}
	done
	[ -z "$root" ] || return 1
	PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2> /dev/null | sed -n "s|^[[:space:]]*$1 .* => ||p" | grep .
}
find_missing() {
	missing=
	packages=
	requirement library > "$work/libraries"
	while read -r library package; do
		library_path "$library" > /dev/null && continue
		missing="$missing $library"
		case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
	done < "$work/libraries"
}
apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq --no-install-recommends "$@" > "$work/apt" 2>&1 || {
		apt-get update -qq >> "$work/apt" 2>&1
		apt-get install -y -qq --no-install-recommends "$@" >> "$work/apt" 2>&1
	}
}
find_missing
if [ -n "$missing" ] && [ -n "$apt" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
	if [ -n "$dry_run" ]; then
		say "would install with apt-get:$packages"
		missing=
	else
		say "installing with apt-get:$packages"
		# shellcheck disable=SC2086 # a list
		apt_install $packages || tail -n 5 "$work/apt" >&2
		find_missing
	fi
fi
[ -z "$missing" ] || die 5 "these libraries are missing:$missing; install them first; on Debian and Ubuntu: apt-get install$packages"
is_older() { # VERSION THAN_VERSION
	[ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}
glibc=$(grep -aom1 'stable release version [0-9.]*[0-9]' "$(library_path libc.so.6)" | sed 's/.* //')
if is_older "${glibc:-0}" "$(requirement glibc)"; then
	die 4 "the C library is glibc ${glibc:-of an unknown version}, and this was built for $(requirement glibc) or later: install" \
		"from the sources, or upgrade the system"
fi
# The proof. On another machine's file system there is none.
runs() { [ -z "$root" ] || [ "$(uname -m)" = "$architecture" ]; }
if runs; then
	for program in holdfastd holdfast; do # the others answer to nothing so harmless
		"$from/bin/$program" --version > "$work/proof" 2>&1 || {
			cat "$work/proof" >&2
			die 4 "the programs do not run here, see above"
		}
	done
fi

needed=$(($(du -sk "$from" | cut -f 1) + 1024))
if [ -e "$root$lib/releases/$id" ]; then needed=1024; fi
free=$(free_below "$root$lib")
[ "$free" -ge "$needed" ] ||
	die 6 "$root$prefix has $((free / 1024)) MiB free, and $((needed / 1024 + 1)) MiB are needed: free some, or use another --prefix"

# A configuration that the new version does not take, though the former one does, would end the service.
check() { # PROGRAM FILE [OPTION]
	runs || return 0
	"$1" check "$2" ${3+"$3"} > "$work/check" 2>&1
}
complaints() { # as of the places where the files will be
	name=$(printf %s "$config" | sed 's/[&|\\]/\\&/g')
	sed "s|$work/etc/holdfast.toml|$name|g; s|$work/etc/|$root$etc/|g" "$work/check" >&2
}
if [ -n "$config" ]; then
	# With the drop-ins among which it comes, not with those that lie beside it now.
	mkdir -p "$work/etc/conf.d"
	ln -s "$(readlink -f "$config")" "$work/etc/holdfast.toml"
	for file in "$root$etc"/conf.d/*.toml; do [ ! -e "$file" ] || ln -s "$file" "$work/etc/conf.d/"; done
	check "$from/bin/holdfast" "$work/etc/holdfast.toml" --elsewhere || {
		complaints
		die 9 "the configuration $config is invalid, or does not go with $root$etc/conf.d, see above"
	}
	[ -n "$root" ] || check "$from/bin/holdfast" "$work/etc/holdfast.toml" || {
		complaints
		say "the configuration names what this machine does not have, see above; its workers will fail until it has" >&2
	}
elif [ -z "$root" ] && [ -e "$etc/holdfast.toml" ]; then
	check "$from/bin/holdfast" "$etc/holdfast.toml" --elsewhere || {
		cat "$work/check" >&2
		# Neither one that runs nor one that systemd keeps trying to start: it would be put down to the new version.
		[ -z "$former" ] || ! is_live || [ "$(systemctl is-active holdfast.service)" = inactive ] ||
			die 9 "version $version does not take the configuration $etc/holdfast.toml, see above: mend it first, or give" \
				"another with --config"
		say "the configuration $etc/holdfast.toml is invalid, see above; Holdfast runs once it is mended" >&2
	}
fi

if [ -n "$dry_run" ]; then
	if [ "$former" = "releases/$id" ]; then
		say "$id is there already; would put right what is missing of it"
	elif [ -n "$former" ]; then say "would upgrade ${former#releases/} to $id"; else say "would install $id"; fi
	say "programs in $root$prefix/bin and sbin, $root$lib with $((needed / 1024)) MiB, units in $root$units"
	say "users holdfast-output, -monitor, -uplink, -executor and the group holdfast; configuration in $root$etc"
	[ -z "$start" ] || say "would have systemd run holdfast.service"
	[ -z "$enrol" ] || say "would enrol the device with central"
	exit 0
fi

# 3. Everything is written beside what is there

installed=$root$lib/installed
# What is made is first written down, as TYPE NAME: d a folder, f a file or link, c configuration, u a user, g a group.
record() { # TYPE PATH_OR_NAME
	printf '%s %s\n' "$1" "$2" >> "$installed.new" || no_space
}
is_recorded() { # TYPE PATH_OR_NAME
	cat "$installed" "$installed.new" 2> /dev/null | grep -qxF "$1 $2"
}
staged() { # PATH: where its new content waits
	echo "$root$(dirname "$1")/.holdfast-new.$(basename "$1")"
}
undo_new() {
	[ ! -f "$work.switch" ] || while read -r path; do rm -f "$(staged "$path")"; done < "$work.switch"
	[ ! -f "$installed.new" ] || tac "$installed.new" > "$work.undo"
	[ ! -f "$work.undo" ] || while read -r type what; do
		case $type in
		f) rm -f "$root$what" ;;
		c) rm -f "$root$what" 2> /dev/null || rmdir "$root$what" 2> /dev/null || true ;;
		d) [ "$what" = "$lib" ] || rmdir "$root$what" 2> /dev/null || true ;;
		u) userdel ${root:+--prefix "$root"} "$what" 2> /dev/null || true ;;
		g) groupdel ${root:+--prefix "$root"} "$what" 2> /dev/null || true ;;
		esac
	done < "$work.undo"
	rm -f "$installed.new" "$installed.all"
	[ -e "$installed" ] || {
		rm -f "$root$lib/lock"
		rmdir "$root$lib/releases" "$root$lib" 2> /dev/null || true
		for folder in $made; do rmdir "$root$folder" 2> /dev/null || true; done
	}
}
made= # what was made before there was a place to write it down, the innermost first
make_first() { # FOLDER
	[ -d "$root$1" ] || {
		make_first "$(dirname "$1")"
		made="$1 $made"
		mkdir "$root$1"
	}
}
make_folder() { # FOLDER
	[ -d "$root$1" ] || {
		make_folder "$(dirname "$1")"
		case $1 in "$etc" | "$etc"/*) record c "$1" ;; *) record d "$1" ;; esac
		mkdir "$root$1" || no_space "$(dirname "$root$1")"
	}
}
is_out_of_space() { [ "$(free_below "$root$lib")" -lt "$needed" ]; }
no_space() { # [FOLDER]
	die 6 "the file system of ${1-$root$lib} is full, or cannot be written"
}

undo=yes
make_first "$lib"
exec 9> "$root$lib/lock" || no_space
flock --nonblock 9 || {
	undo=
	die 1 "another installation is under way"
}
# Left by one that was killed: its entries are ours now.
for folder in $made; do echo "d $folder"; done | tac >> "$installed.new" || no_space
make_folder "$lib/releases"
rm -rf "$root$lib"/releases/.new-* "$root$etc"/.holdfast-new.*

while [ -d "$root$lib/releases/$id" ]; do
	(cd "$root$lib/releases/$id" && sha256sum --quiet --strict --check SHA256SUMS) > /dev/null 2>&1 && break
	id=$id.1 # what is there is damaged, and may be in use
done
if [ ! -d "$root$lib/releases/$id" ]; then
	staged=$root$lib/releases/.new-$id
	mkdir "$staged"
	(cd "$from" && cut -c 67- SHA256SUMS | xargs cp --parents -p -t "$staged" && cp -p SHA256SUMS "$staged") || {
		! is_out_of_space || no_space
		die 1 "the files could not be copied"
	}
	chown -R 0:0 "$staged"
	sync -f "$staged" 2> /dev/null || sync
	(cd "$staged" && sha256sum --quiet --strict --check SHA256SUMS) || die 1 "the files did not arrive as they were sent"
	placed=$root$lib/releases/$id
	mv "$staged" "$placed"
fi

account() { # TYPE NAME FILE
	# Made by us, or by an installation before, which was removed without a purge.
	if grep -qs "^$2:" "$root$3" && ! grep -qsxF "$1 $2" "$root/var/lib/holdfast/accounts"; then return 0; fi
	record "$1" "$2"
}
account g holdfast /etc/group
for user in holdfast-output holdfast-monitor holdfast-uplink holdfast-executor holdfast-plugin; do
	account u "$user" /etc/passwd
done
systemd-sysusers ${root:+--root="$root"} - < "$from/systemd/sysusers.conf" > "$work/sysusers" 2>&1 || {
	cat "$work/sysusers" >&2
	die 1 "the users could not be made"
}

: > "$work.switch"
claim() { # PATH: it is ours, or nobody's yet
	make_folder "$(dirname "$1")"
	if [ -e "$root$1" ] || [ -L "$root$1" ]; then
		is_recorded f "$1" || die 1 "$root$1 is in the way: it is not from an installation of Holdfast"
	else
		record f "$1"
	fi
	echo "$1" >> "$work.switch" || no_temporary_space
}
stage_link() { # PATH TARGET
	claim "$1"
	ln -sfn "$2" "$(staged "$1")" || no_space "$(dirname "$root$1")"
}
stage_file() { # PATH SOURCE
	claim "$1"
	sed "s|@BINDIR@|$prefix/bin|g; s|@SBINDIR@|$prefix/sbin|g; s|@DOCDIR@|$prefix/share/doc/holdfast|g; s|@LIBDIR@|$lib|g" "$2" \
		> "$(staged "$1")" || no_space "$(dirname "$root$1")"
}
stage_configuration() { # NAME SOURCE [OPTION_OF_CP]
	[ -e "$root$etc/$1" ] || record c "$etc/$1"
	echo "$etc/$1" >> "$work.switch" || no_temporary_space
	cp ${3+"$3"} "$2" "$(staged "$etc/$1")" || no_space "$root$etc"
}
stage() { # RELEASE: all that has to follow the switch to it, in the order of the switch
	release=$root$lib/releases/$1
	stage_link "$lib/current" "releases/$1"
	for unit in "$release"/systemd/*.service.in; do stage_file "$units/$(basename "$unit" .in)" "$unit"; done
	stage_file "$sysusers/holdfast.conf" "$release/systemd/sysusers.conf"
	stage_file "$tmpfiles/holdfast.conf" "$release/systemd/tmpfiles.conf"
	stage_link "$prefix/sbin/holdfastd" ../lib/holdfast/current/bin/holdfastd
	for program in "$release"/bin/*; do
		program=$(basename "$program")
		[ "$program" = holdfastd ] || stage_link "$prefix/bin/$program" "../lib/holdfast/current/bin/$program"
	done
	[ ! -e "$release/include" ] ||
		stage_link "$prefix/include/holdfast_plugin.h" ../lib/holdfast/current/include/holdfast_plugin.h
	[ ! -e "$release/plugins" ] ||
		stage_file "$etc/conf.d/00-holdfast-plugins.toml" "$release/plugins/plugins.toml"
	stage_link "$prefix/sbin/holdfast-uninstall" ../lib/holdfast/current/uninstall.sh
	stage_link "$prefix/share/doc/holdfast" ../../lib/holdfast/current/doc
	stage_link "$prefix/share/bash-completion/completions/holdfast" ../../../lib/holdfast/current/completions/bash
	stage_link "$prefix/share/zsh/site-functions/_holdfast" ../../../lib/holdfast/current/completions/zsh
	stage_link "$prefix/share/fish/vendor_completions.d/holdfast.fish" ../../../lib/holdfast/current/completions/fish
}
# 4. The switch: names change, nothing is written
switch() {
	while read -r path; do mv -fT "$(staged "$path")" "$root$path"; done < "$work.switch"
	: > "$work.switch"
	sync -f "$root$lib" "$root$units" "$root$etc" 2> /dev/null || sync
}
is_same() { # PATH: what waits for it is what is there
	if [ -L "$(staged "$1")" ]; then
		[ "$(readlink "$(staged "$1")")" = "$(readlink "$root$1")" ]
	else
		cmp -s "$(staged "$1")" "$root$1"
	fi
}

stage "$id"
make_folder "$etc"
make_folder "$etc/conf.d"
if [ -n "$config" ]; then
	for file in holdfast.toml holdfast.toml.old; do # for the way back
		[ ! -e "$root$etc/$file" ] || cp -p "$root$etc/$file" "$work/$file" || no_temporary_space
	done
	if [ -e "$root$etc/holdfast.toml" ] && ! cmp -s "$config" "$root$etc/holdfast.toml"; then
		stage_configuration holdfast.toml.old "$root$etc/holdfast.toml" -p
	fi
	stage_configuration holdfast.toml "$config"
elif [ ! -e "$root$etc/holdfast.toml" ]; then
	stage_configuration holdfast.toml "$from/holdfast.toml"
fi
make_folder /etc/systemd/system/multi-user.target.wants
changed=
while read -r path; do is_same "$path" || changed=yes; done < "$work.switch"
cat "$installed" "$installed.new" 2> /dev/null | awk '!seen[$0]++' > "$installed.all" || no_space
sync -f "$root$lib" "$root$units" "$root$etc" 2> /dev/null || sync

trap '' HUP INT TERM
echo "$former" > "$root$lib/unfinished" || no_space
mv -f "$installed.all" "$installed"
rm -f "$installed.new"
undo=
switch
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
systemd-tmpfiles --create ${root:+--root="$root"} holdfast.conf

# 5. The service

runs_new() { # whether the runtime that is up was started from the new release
	systemctl --quiet is-active holdfast.service &&
		case $(readlink "/proc/$(systemctl show --value -p MainPID holdfast.service)/exe") in
		"$(readlink -f "$lib/releases/$id")/"*) ;;
		*) return 1 ;;
		esac
}
refused=
restart() {
	# The workers go on meanwhile, if the runtime that is up knows how; it asks the new one first whether it can take over.
	if "$prefix/bin/holdfast" upgrade --help 2> /dev/null | grep -q '^USAGE: holdfast upgrade'; then
		code=0
		"$prefix/bin/holdfast" upgrade --json --timeout 60 --binary "$prefix/sbin/holdfastd" > "$work/upgrade" 2>&1 || code=$?
		if grep -q '"upgrade-refused"' "$work/upgrade"; then
			refused=$(sed -n 's/.*"message":"\([^"]*\)".*/\1/p' "$work/upgrade")
			refused=${refused:-it does not say why}
			return 1
		fi
		# Of the same release it cannot be told by the program whether what runs is the one from before.
		{ [ "$code" != 0 ] && [ "$former" = "releases/$id" ]; } || ! runs_new || return 0
	fi
	systemctl restart holdfast.service && runs_new
}
configuration_back() {
	[ -n "$config" ] || return 0
	for file in holdfast.toml holdfast.toml.old; do
		if [ -e "$work/$file" ]; then stage_configuration "$file" "$work/$file" -p; else rm -f "$etc/$file"; fi
	done
}
go_back() {
	what="version $version"
	[ "$former" != "releases/$id" ] || [ -z "$config" ] || what="$what with $config"
	if [ -z "$refused" ]; then
		say "$what did not start; these are its last words:" >&2
		journalctl --no-pager --quiet --lines=10 --output=cat --unit=holdfast.service >&2 || true
	fi
	stage "${former#releases/}"
	configuration_back
	switch
	systemctl daemon-reload
	[ -n "$refused" ] || systemctl restart holdfast.service || true
	rm -f "$root$lib/unfinished"
	if [ "$former" = "releases/$id" ]; then
		[ -z "$config" ] || former="$former with its former configuration"
	else
		rm -rf "$root$lib/releases/$id"
	fi
	[ -z "$refused" ] || die 8 "$what cannot take over, and ${former#releases/} runs on: $refused"
	die 8 "$what did not start, and ${former#releases/} is back: $(systemctl is-active holdfast.service || true)"
}
state=none
if is_live; then
	systemctl daemon-reload
	state=$(systemctl is-active holdfast.service || true)
fi
if [ -z "$former" ]; then
	systemctl ${root:+--root="$root"} --quiet enable holdfast.service
	[ -z "$start" ] || systemctl start holdfast.service ||
		die 8 "Holdfast $version is in place, but did not start; see: journalctl -u holdfast"
elif [ -n "$start" ] && [ "$state" != inactive ] && { [ -n "$changed" ] || ! runs_new; }; then
	restart || {
		[ "$former" != "releases/$id" ] || [ -n "$config$refused" ] ||
			die 8 "Holdfast did not start; see: journalctl -u holdfast"
		go_back
	}
fi
rm -f "$root$lib/unfinished"
if [ -n "$start" ] || ! is_live; then
	for release in "$root$lib"/releases/*; do
		[ "$release" = "$root$lib/releases/$id" ] || rm -rf "$release"
	done
fi

if [ -z "$changed" ]; then
	say "Holdfast $version is there already, below $root$prefix"
else
	say "Holdfast $version is installed below $root$prefix"
fi
if [ -n "$start" ]; then say "$(systemctl is-active holdfast.service || true): $(systemctl show --value -p StatusText holdfast.service)"; fi
if [ -n "$enrol" ]; then
	systemctl --quiet is-active holdfast.service || die 10 "not enrolled, since Holdfast does not run: start it, then: sudo holdfast enrol TOKEN"
	# By standard input: a list of processes is for everybody.
	printf '%s\n' "$enrol" | "$prefix/bin/holdfast" enrol - || die 10 "not enrolled, see above"
fi
[ -n "$former" ] || say "say in $root$etc/holdfast.toml what it is to keep running, then: sudo holdfast reload"
