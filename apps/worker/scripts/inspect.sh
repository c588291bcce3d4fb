# Looks at an instance and changes nothing.
# Args: program_dir program_release config_dir config_release service_script process_pattern digest (yes|no: is the current
# tree's listing wanted) measure (disk = what is free there,
# rest = also what all but the program takes, all; no = nothing) folder of shared entries, shared
# entries (a line each), then a find expression of exclusions. Empty text = not configured. Answer: facts, see inspect.ts. Exit 0.
program=$1; program_release=$2; config=$3; config_release=$4; service=$5; pattern=$6; digest=$7; measure=$8
shift 8
kept=$1; shared=$2
shift 2
# Before anything is read: what changes later has a later time.
say now "$(date +%s.%N)"

# $1 = prefix of the facts, $2 = folder, or what will be one
disk() {
  folder=$2
  while [ ! -e "$folder" ]; do folder=$(dir_of "$folder"); done
  say "$1.device" "$(stat -L -c %d -- "$folder")"
  df -Pk -- "$folder" | awk -v p="$1" 'NR == 2 { printf "%s.free_kib\t%s\n", p, $4 }'
  df -Pi -- "$folder" | awk -v p="$1" 'NR == 2 { printf "%s.all_inodes\t%s\n%s.free_inodes\t%s\n", p, $2, p, $4 }'
}
# $1 = prefix of the facts, $2 = tree; what vanishes meanwhile takes nothing
size() {
  find "$2" -printf '%b\n' 2> /dev/null |
    awk -v p="$1" '{ blocks += $1 } END { printf "%s_kib\t%.0f\n%s_inodes\t%d\n", p, blocks / 2, p, NR }'
}

# $1 = prefix of the facts, $2 = directory, $3 = release to be made there, $4 = listing wanted, $5 = size wanted, rest = exclusions
side() {
  prefix=$1; dir=$2; release=$3; wanted=$4; sized=$5
  shift 5
  kind=$(kind_of "$dir")
  say "$prefix.kind" "$kind"
  real=
  case $kind in link | directory) real=$(readlink -f -- "$dir") ;; esac
  if [ "$kind" = link ] && [ ! -d "$real" ]; then say "$prefix.dangling" "$(readlink -- "$dir")"; real=; fi
  say "$prefix.real" "$real"
  folder=$(dir_of "$dir")
  while [ ! -e "$folder" ]; do folder=$(dir_of "$folder"); done
  state=$(state_of "$dir")
  if [ ! -d "$folder" ] || [ ! -w "$folder" ]; then say "$prefix.writable" "$folder"
  elif [ -e "$state" ] && { [ ! -d "$state" ] || [ ! -w "$state" ]; }; then say "$prefix.writable" "$state"
  else say "$prefix.writable" yes
  fi
  # What is mounted there cannot be moved out of the way.
  if [ "$kind" = directory ] && [ "$(stat -c %m -- "$real")" = "$real" ]; then say "$prefix.mounted" yes; fi
  [ "$measure" = no ] || disk "$prefix" "$folder"
  if [ -n "$real" ] && [ -f "$state/$(base_of "$real").json" ]; then
    say "$prefix.meta" "$(first_line "$state/$(base_of "$real").json")"
    if [ "$wanted" = yes ]; then say "$prefix.listing" "$(listing_digest "$real" "$@")"; fi
  fi
  if [ -n "$real" ] && [ "$sized" = yes ]; then size "$prefix.size" "$real"; fi
  partial="$state/$(base_of "$release").partial"
  if [ -d "$partial" ]; then
    say "$prefix.partial" yes
    case $measure in rest | all) size "$prefix.partial" "$partial" ;; esac
  fi
  if [ -e "$release" ] || [ -L "$release" ]; then
    say "$prefix.release_exists" yes
    if [ -f "$state/$(base_of "$release").json" ]; then
      say "$prefix.release_meta" "$(first_line "$state/$(base_of "$release").json")"
    fi
  fi
}

if [ "$measure" = all ]; then sized=yes; else sized=no; fi
side program "$program" "$program_release" "$digest" "$sized" "$@"
program_real=$real
case $measure in rest | all) sized=yes ;; *) sized=no ;; esac
[ -n "$config" ] && side config "$config" "$config_release" no "$sized"
# Shared entries that are not kept yet: they are copied as a whole.
unkept() {
  while IFS= read -r entry; do
    [ ! -e "$kept/$entry" ] && holds_own "$program_real/$entry" "$kept/$entry" "$program_real" "$kept" &&
      readlink -f -- "$program_real/$entry"
  done << END
$shared
END
}
if [ -n "$shared" ] && [ -n "$program_real" ] && [ "$sized" = yes ]; then
  disk shared "$kept"
  unkept | sort -u | tr '\n' '\0' | xargs -0 -r sh -c 'find "$@" -printf "%b\n"' find 2> /dev/null |
    awk '{ blocks += $1 } END { printf "shared.size_kib\t%.0f\nshared.size_inodes\t%d\n", blocks / 2, NR }'
fi
if [ -n "$service" ]; then
  if [ -x "$service" ] && [ ! -d "$service" ]; then say service yes; else say service no; fi
fi
if [ -n "$pattern" ]; then
  pids=$(pgrep -f -- "$pattern")
  [ $? -le 1 ] || refuse 91 "processes cannot be counted: pgrep (Debian: procps) is missing or \"$pattern\" is no pattern"
  # shellcheck disable=SC2046,SC2086
  set -- $(without_ours $pids)
  say processes $#
fi
say user "$(id -un)"
exit 0
