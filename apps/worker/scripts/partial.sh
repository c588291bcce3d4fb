# rexdeploy-remote-script
# The folder in which a release grows, and whose script fills it. Functions for the scripts that handle it; common.sh comes
# after this text and before they are called. Holders of the fence's mutex alone call them, so that two never take over
# from each other at once.

# $1 = what is left of /proc/<pid>/stat behind the command's name, $2 = field there: 3 = process group, 20 = time of the start
stat_field() {
  field=$2; stat=
  { while IFS= read -r line || [ -n "$line" ]; do stat="$stat$line "; done; } 2> /dev/null < "/proc/$1/stat"
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ $# -lt "$field" ] || { shift $((field - 1)); printf '%s\n' "$1"; }
}

# The script of a former attempt may still run where its connection is half dead: ended, together with what it started.
# $1 = folder
end_former() {
  [ -s "$1/pid" ] || return 0
  read -r former_pid former_start < "$1/pid"
  case $former_pid in '' | *[!0-9]*) return 0 ;; esac
  # The number may be another process's by now.
  [ "$(stat_field "$former_pid" 20)" = "$former_start" ] || return 0
  grep -qa 'rexdeploy-remote-script' "/proc/$former_pid/cmdline" 2> /dev/null || return 0
  former_group=$(stat_field "$former_pid" 3)
  [ "$former_group" = "$(stat_field $$ 3)" ] || kill -s KILL -- "-$former_group" 2> /dev/null
  kill -s KILL "$former_pid" 2> /dev/null
  wait_for 10 ended "$former_pid" "$former_group" ||
    refuse 98 "process $former_pid of a former attempt still writes to $1 and cannot be ended"
}
# What has ended stays in the list until somebody asks for its exit code.
ended() {
  ! ps -e -o pid= -o pgid= -o stat= | awk -v pid="$1" -v group="$2" -v own="$(stat_field $$ 3)" \
    '($1 == pid || ($2 == group && group != own)) && $3 !~ /^Z/ { found = 1 } END { exit !found }'
}

# From here on this script is the one that fills it. $1 = folder
claim() { printf '%s %s\n' "$$" "$(stat_field $$ 20)" > "$1/pid"; }

# Directories that their owner may not write to would keep us out. $1 = tree
open_directories() { [ ! -d "$1" ] || find "$1" -type d ! -perm -700 -exec chmod u+rwx {} +; }
