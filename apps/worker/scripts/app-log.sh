# rexdeploy-remote-script
# Reads what may tell why an app fails: the end of the newest file that a pattern names, and of what its service wrote.
# Args: pattern ('' = none), file with the service's output ('' = none), lines and bytes at most.
# Answer: path, NUL, its end, NUL for each of the two; the path is empty where there is nothing that can be read.
pattern=$1; output=$2; lines=$3; bytes=$4
# Split nowhere, so that a space in the pattern is a space; only its wildcards mean something.
IFS=
newest=
for file in $pattern; do
  [ -f "$file" ] && [ -r "$file" ] || continue
  if [ -z "$newest" ] || [ "$file" -nt "$newest" ]; then newest=$file; fi
done
[ -s "$output" ] && [ -r "$output" ] || output=
for file in "$newest" "$output"; do
  printf '%s\0' "$file"
  [ -z "$file" ] || tail -n "$lines" -- "$file" | tail -c "$bytes" | tr -d '\0'
  printf '\0'
done
