# Reads an upstream file. Args: upstream_file, master (nginx's process, where it is known; '' = it is looked for).
# Answer: `line` for each line that begins with `server`; `master` where nginx runs and uses the file, and nothing where it
# does not: whoever changes something finds out why.
# Exit 91: cannot be read.
file=$1; master=$2
[ -r "$file" ] || refuse 91 "$file cannot be read"
tell_lines "$file"
is_master || find_master "$file" "$(readlink -f -- "$file")" && say master "$master"
exit 0
