#!/bin/sh
# Prints how much memory is left, every two seconds, one JSON object a line. Reads /proc/meminfo (proc_meminfo(5)).
# It never speaks to its supervisor: a plain program that counts as up once it runs.
set -eu
trap 'exit 0' TERM

while :; do
	awk '
		/^MemTotal:/ { total = $2 }
		/^MemAvailable:/ { available = $2 }
		END { printf "{\"memory_total_kib\": %d, \"memory_available_kib\": %d}\n", total, available }
	' /proc/meminfo
	sleep 2 &
	wait $! # unlike sleep itself, wait ends at once when TERM comes
done
