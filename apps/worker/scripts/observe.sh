# Reads an instance after its roll-out. Args: program_dir config_dir process_pattern ('' = not configured).
# Answer: program, config = real directories; size = `<du -sh> <directory>` of each; processes.
program=$1; config=$2; pattern=$3
size=
for side in program config; do
  if [ "$side" = program ]; then dir=$program; else dir=$config; fi
  [ -n "$dir" ] || continue
  real=$(readlink -f -- "$dir") || refuse 91 "$dir leads nowhere"
  say "$side" "$real"
  # Of a large tree it takes as much as all the rest, and others work meanwhile.
  taken=$(nice -n 19 du -sh -- "$real")
  size="$size${size:+ }${taken%%	*} $real"
done
say size "$size"
if [ -n "$pattern" ]; then say processes "$(count "$pattern")"; fi
