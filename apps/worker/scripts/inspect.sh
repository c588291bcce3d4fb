# Looks at an instance and changes nothing.
# Args: program_dir program_release config_dir config_release service_script process_pattern digest (yes|no: is the current
# tree's listing wanted), then a find expression of exclusions. Empty text = not configured. Answer: facts, see inspect.ts. Exit 0.
program=$1; program_release=$2; config=$3; config_release=$4; service=$5; pattern=$6; digest=$7
shift 7

# $1 = prefix of the facts, $2 = directory, $3 = release to be made there, $4 = listing wanted, rest = exclusions
side() {
  prefix=$1; dir=$2; release=$3; wanted=$4
  shift 4
  kind=$(kind_of "$dir")
  say "$prefix.kind" "$kind"
  real=
  case $kind in link | directory) real=$(readlink -f -- "$dir") ;; esac
  if [ "$kind" = link ] && [ ! -d "$real" ]; then say "$prefix.dangling" "$(readlink -- "$dir")"; real=; fi
  say "$prefix.real" "$real"
  folder=$(dirname "$dir")
  while [ ! -e "$folder" ]; do folder=$(dirname "$folder"); done
  if [ -d "$folder" ] && [ -w "$folder" ]; then say "$prefix.writable" yes; else say "$prefix.writable" "$folder"; fi
  df -Pk -- "$folder" | awk -v p="$prefix" 'NR == 2 { printf "%s.free_kib\t%s\n", p, $4 }'
  df -Pi -- "$folder" | awk -v p="$prefix" 'NR == 2 { printf "%s.free_inodes\t%s\n", p, $4 }'
  state=$(state_of "$dir")
  if [ -n "$real" ] && [ -f "$state/$(basename "$real").json" ]; then
    say "$prefix.meta" "$(head -n 1 "$state/$(basename "$real").json")"
    if [ "$wanted" = yes ]; then say "$prefix.listing" "$(listing_digest "$real" "$@")"; fi
  fi
  if [ -e "$release" ] || [ -L "$release" ]; then
    say "$prefix.release_exists" yes
    if [ -f "$state/$(basename "$release").json" ]; then
      say "$prefix.release_meta" "$(head -n 1 "$state/$(basename "$release").json")"
    fi
  fi
}

side program "$program" "$program_release" "$digest" "$@"
[ -n "$config" ] && side config "$config" "$config_release" no
if [ -n "$service" ]; then
  if [ -x "$service" ] && [ ! -d "$service" ]; then say service yes; else say service no; fi
fi
if [ -n "$pattern" ]; then
  pgrep -f -- "$pattern" > /dev/null
  [ $? -le 1 ] || refuse 91 "processes cannot be counted: pgrep (Debian: procps) is missing or \"$pattern\" is no pattern"
  say processes "$(count "$pattern")"
fi
say user "$(id -un)"
exit 0
