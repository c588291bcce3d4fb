# Lists the releases of an instance and changes nothing.
# Args: program_dir, config_dir ('' = none), process pattern ('' = not known), then directories of which is asked whether they
# are there.
# Answer: for `program` and `config` the facts `.kind` and `.real`, and for each release, `<dir>_<8 digits>_<6 digits>` and what
# made way for one, `…_before`: `.release`, then `.meta` (one line of JSON) where it has one and `.linked` where it is that;
# `processes`; `there` for each directory asked about that is there.
program=$1; config=$2; pattern=$3
shift 3

# $1 = prefix of the facts, $2 = directory
side() {
  say "$1.kind" "$(kind_of "$2")"
  real=
  [ ! -d "$2" ] || real=$(readlink -f -- "$2")
  say "$1.real" "$real"
  d='[0-9]'; stamp=_$d$d$d$d$d$d$d${d}_$d$d$d$d$d$d
  state=$(state_of "$2")
  # The directory's own name is taken as it is, whatever stands in it.
  for release in "$2"$stamp "$2"${stamp}_before; do
    [ -d "$release" ] && [ ! -L "$release" ] || continue
    say "$1.release" "$release"
    meta="$state/$(base_of "$release").json"
    [ ! -f "$meta" ] || say "$1.meta" "$(first_line "$meta")"
    [ "$(readlink -f -- "$release")" != "$real" ] || say "$1.linked" "$release"
  done
}

side program "$program"
[ -z "$config" ] || side config "$config"
[ -z "$pattern" ] || say_processes "$pattern"
for asked do
  [ ! -d "$asked" ] || say there "$asked"
done
exit 0
