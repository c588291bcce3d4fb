# Reads an upstream file. Args: upstream_file. Answer: `line` for each line that begins with `server`.
# Exit 91: cannot be read.
file=$1
[ -r "$file" ] || refuse 91 "$file cannot be read"
grep -E '^[[:space:]]*server[[:space:]]' -- "$file" | while IFS= read -r line; do say line "$line"; done
exit 0
