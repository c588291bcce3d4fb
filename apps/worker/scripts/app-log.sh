# rexdeploy-remote-script
# Reads the end of an app's log: of the newest file that a pattern names. Args: pattern, lines and bytes at most.
# Answer: the file's path, NUL, its end; nothing when no file that can be read matches.
pattern=$1; lines=$2; bytes=$3
# Split nowhere, so that a space in the pattern is a space; only its wildcards mean something.
IFS=
newest=
for file in $pattern; do
  [ -f "$file" ] && [ -r "$file" ] || continue
  if [ -z "$newest" ] || [ "$file" -nt "$newest" ]; then newest=$file; fi
done
[ -n "$newest" ] || exit 0
printf '%s\0' "$newest"
tail -n "$lines" -- "$newest" | tail -c "$bytes"
