# Reads an instance after its roll-out. Args: program_dir config_dir process_pattern ('' = not configured).
# Answer: program, config = real directories; size = `<du -sh> <directory>` of each; processes.
program=$1; config=$2; pattern=$3
for dir in "$program" ${config:+"$config"}; do [ -e "$dir" ] || refuse 91 "$dir leads nowhere"; done
{ IFS= read -r program_real; IFS= read -r config_real; } << END
$(readlink -f -- "$program" ${config:+"$config"})
END
say program "$program_real"
set -- "$program_real"
if [ -n "$config" ]; then
  say config "$config_real"
  set -- "$@" "$config_real"
fi
# Of a large tree it takes as much as all the rest, and others work meanwhile. Neither lies in the other.
taken=$(nice -n 19 du -sh -- "$@")
size=
while IFS='	' read -r amount real; do size="$size${size:+ }$amount $real"; done << END
$taken
END
say size "$size"
if [ -n "$pattern" ]; then say_processes "$pattern"; fi
