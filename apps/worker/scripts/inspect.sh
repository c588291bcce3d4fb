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
[ "$digest" = no ] || say now "$(date +%s.%N)"

# Sets `folder`: $1, or the next one above that is there
folder_of() {
  folder=$1
  while [ ! -e "$folder" ]; do folder=${folder%/*}; [ -n "$folder" ] || folder=/; done
}
measured=; refused=no
# $1 = prefix of the facts, $2 = folder, or what will be one
disk() {
  folder_of "$2"
  # Asked once where both sides lie in one folder.
  if [ "$folder" != "$measured" ]; then
    measured=$folder
    device=$(stat -L -c %d -- "$folder")
    space=$(stat -f -c '%a %S %c %d' -- "$folder")
  fi
  say "$1.device" "$device"
  # Free blocks, their size, inodes in all and free ones.
  # shellcheck disable=SC2086
  set -- "$1" $space
  say "$1.free_kib" "$(($2 * $3 / 1024))"
  say "$1.all_inodes" "$4"
  say "$1.free_inodes" "$5"
}
# $1 = prefix of the facts, $2 = tree; what vanishes meanwhile takes nothing
size() {
  find "$2" -printf '%b\n' 2> /dev/null |
    awk -v p="$1" '{ blocks += $1 } END { printf "%s_kib\t%.0f\n%s_inodes\t%d\n", p, blocks / 2, p, NR }'
}

# Sets `meta`: what lies beside a release, in one line. $1 = its name
meta_of() { meta=; { IFS= read -r meta || [ -n "$meta" ]; } 2> /dev/null < "$state/$1.json"; }

# $1 = prefix of the facts, $2 = directory, $3 = where links lead from there, $4 = release to be made there, $5 = listing
# wanted, $6 = size wanted, rest = exclusions
side() {
  prefix=$1; dir=$2; leads=$3; release=$4; wanted=$5; sized=$6
  shift 6
  if [ -L "$dir" ]; then kind=link
  elif [ -d "$dir" ]; then kind=directory
  elif [ -e "$dir" ]; then kind=other
  else kind=absent
  fi
  say "$prefix.kind" "$kind"
  real=
  case $kind in link | directory) real=$leads ;; esac
  if [ "$kind" = link ] && [ ! -d "$real" ]; then say "$prefix.dangling" "$(readlink -- "$dir")"; real=; fi
  say "$prefix.real" "$real"
  beside=${dir%/*}
  folder_of "${beside:-/}"
  state="$beside/.rexdeploy"
  if [ ! -d "$folder" ] || [ ! -w "$folder" ]; then say "$prefix.writable" "$folder"; refused=yes
  elif [ -e "$state" ] && { [ ! -d "$state" ] || [ ! -w "$state" ]; }; then say "$prefix.writable" "$state"; refused=yes
  else say "$prefix.writable" yes
  fi
  # What is mounted there cannot be moved out of the way.
  if [ "$kind" = directory ] && [ "$(stat -c %m -- "$real")" = "$real" ]; then say "$prefix.mounted" yes; fi
  [ "$measure" = no ] || disk "$prefix" "$folder"
  if [ -n "$real" ] && meta_of "${real##*/}"; then
    say "$prefix.meta" "$meta"
    if [ "$wanted" = yes ]; then printf '%s\t' "$prefix.listing"; listing_digest "$real" "$@"; fi
  fi
  if [ -n "$real" ] && [ "$sized" = yes ]; then size "$prefix.size" "$real"; fi
  partial="$state/${release##*/}.partial"
  if [ -d "$partial" ]; then
    say "$prefix.partial" yes
    case $measure in rest | all) size "$prefix.partial" "$partial" ;; esac
  fi
  if [ -e "$release" ] || [ -L "$release" ]; then
    say "$prefix.release_exists" yes
    if meta_of "${release##*/}"; then say "$prefix.release_meta" "$meta"; fi
  fi
}

{ IFS= read -r program_leads; IFS= read -r config_leads; } << END
$(readlink -m -- "$program" "${config:-/}")
END
if [ "$measure" = all ]; then sized=yes; else sized=no; fi
side program "$program" "$program_leads" "$program_release" "$digest" "$sized" "$@"
program_real=$real
case $measure in rest | all) sized=yes ;; *) sized=no ;; esac
[ -n "$config" ] && side config "$config" "$config_leads" "$config_release" no "$sized"
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
  if [ -x "$service" ] && [ ! -d "$service" ]; then say service yes; else say service no; refused=yes; fi
fi
if [ -n "$pattern" ]; then
  # Plain ones need no pgrep here, but other scripts may.
  command -v pgrep > /dev/null || refuse 91 'processes cannot be counted: pgrep (Debian: procps) is missing'
  case $pattern in
    *[!A-Za-z0-9_/:=@%,.-]*)
      pgrep -f -- "$pattern" > /dev/null
      [ $? -le 1 ] || refuse 91 "processes cannot be counted: \"$pattern\" is no pattern"
      ;;
  esac
  say_processes "$pattern"
fi
# For messages alone.
if [ "$refused" = yes ]; then say user "$(id -un)"; else say user ''; fi
exit 0
