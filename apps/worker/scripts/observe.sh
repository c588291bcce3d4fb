# Reads an instance after its roll-out. Args: program_dir config_dir process_pattern ('' = not configured).
# Answer: program, config = real directories; size = `<du -sh> <directory>` of each; processes.
program=$1; config=$2; pattern=$3
# Sets `real`. $1 = directory
find_real() { real=$(readlink -f -- "$1") || refuse 91 "$1 leads nowhere"; }
find_real "$program"; set -- "$real"
say program "$real"
if [ -n "$config" ]; then
  find_real "$config"; set -- "$@" "$real"
  say config "$real"
fi
# Of a large tree it takes as much as all the rest, and others work meanwhile. Neither lies in the other.
taken=$(nice -n 19 du -sh -- "$@")
size=
while IFS='	' read -r amount real; do size="$size${size:+ }$amount $real"; done << END
$taken
END
say size "$size"
if [ -n "$pattern" ]; then say_processes "$pattern"; fi
