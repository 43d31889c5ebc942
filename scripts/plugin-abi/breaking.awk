# Prints the lines of an abidiff report that are more than growth at the end of a struct; nothing when it all is growth.
#
# What may be there is listed, and everything else counts as breaking: abidiff's suppressions leave out a type as a whole, and
# with it the parameter that a function of a grown table has got.

{ text = $0; sub(/^ */, "", text) }
text == "" { next }
# The way to what has changed.
text ~ /^Functions changes summary: 0 Removed, [0-9]+ Changed( \([0-9]+ filtered out\))?, 0 Added functions?( \([0-9]+ filtered out\))?$/ { next }
text ~ /^Variables changes summary: 0 Removed, 0 Changed, 0 Added variables?$/ { next }
text ~ /^[0-9]+ functions? with some indirect sub-type changes?:$/ { next }
text ~ /^\[C\] 'function .*' has some indirect sub-type changes:$/ { next }
text ~ /^return type changed:$/ { next }
text ~ /^in pointed to type '.*':$/ { next }
text ~ /^in unqualified underlying type '.*':$/ { next }
text ~ /^parameter [0-9]+ of type '.*' has sub-type changes:$/ { next }
text ~ /^type of '.*' changed:$/ { next }
text ~ /^type size hasn't changed$/ { next }
text ~ /^[0-9]+ data member changes?( \([0-9]+ filtered\))?:$/ { next }
text ~ /^no data member changes( \([0-9]+ filtered\))?;$/ { next }
text ~ /were reported earlier$/ { next }
# Growth: a struct of ours that is longer, with members that begin where it ended.
text ~ /^underlying type 'struct hf_[a-z_]+' changed:$/ { is_ours = 1; next }
is_ours && text ~ /^type size changed from [0-9]+ to [0-9]+ \(in bits\)$/ {
	split(text, word, " ")
	end = word[5] + 0
	is_ours = 0
	if (word[7] + 0 > end) next
}
text ~ /^[0-9]+ data member insertions?:$/ { next }
text ~ /^'.*', at offset [0-9]+ \(in bits\)$/ {
	place = text
	sub(/.*, at offset /, "", place)
	if (end > 0 && place + 0 >= end) next
}
{ print text }
