# Replaces one line of an upstream file, checks the configuration, reloads nginx and waits until it uses the new one.
# Args: upstream_file, line as it stands, line as it shall stand, patience, timeout_seconds, master
#   patience: milliseconds in which old workers may end, which may still serve requests after they were told to; or `later`:
#     nginx is not told yet, because another change follows at once. Where none comes, it is told 0.2 s later from here.
#   master: nginx's process, where the same file was found in its configuration lately; '' = the configuration is read.
# Where the line stands as it shall and is in use, an nginx that refuses its configuration or does not run is no error:
# nothing is asked of it.
# Answer: `changed` yes/no, `master`, `settled` yes/no, `line` for each line of the file that names a server.
# Exit 91 file, 92 neither line is there, 93 nginx refuses the file (put back), 94 reload failed (put back), 95 nginx does not
# include the file, 96 the new configuration did not come into use.
old=$2; new=$3; patience=$4; limit=$5; master=$6
file=$1
[ ! -L "$file" ] || file=$(readlink -f -- "$1")
[ -f "$file" ] || refuse 91 "$1 is not there"
[ -w "$file" ] || refuse 91 "$file cannot be written by $(id -un)"
folder=${file%/*}/
# One change at a time, whoever makes it: the lock is on the folder, so that no file is left behind.
lock() { exec 8< "$folder" && flock -w "$limit" 8; }
lock || refuse 91 "$folder is locked by another change"

copy="$folder.${file##*/}.rex-old"
next="$folder.${file##*/}.rex-new"
# The process that tells nginx later of what it was not told yet.
later="$folder.${file##*/}.rex-later"
# The copy is there until a change is in use: one that is found was left by whoever was cut off before that.
pending=no
[ ! -e "$copy" ] || pending=yes
nothing_to_do() { [ "$changed" = no ] && [ "$pending" = no ]; }
# The file with the line as it shall stand. The shell does it by itself, in less time than a program takes to start.
text=; stands=no; is_new=no
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    "$old") stands=yes; line=$new ;;
    "$new") is_new=yes ;;
  esac
  text="$text$line
"
done < "$file"
[ "$stands" = yes ] || [ "$is_new" = yes ] || refuse 92 "$file holds neither \"$old\" nor \"$new\": somebody changed it"
changed=no
if [ "$old" != "$new" ] && [ "$stands" = yes ]; then changed=yes; fi
if [ "$patience" = later ] && ! nothing_to_do; then
  # Whoever is told later must not be the one who learns that somebody else has broken it. nginx reads it while the file is
  # changed: with the line as it shall stand it has worked before.
  nginx -t > /dev/null 2>&1 8<&- 9>&- &
  tester=$!
fi
if [ "$changed" = yes ]; then
  cp -p "$file" "$next" || refuse 91 "$folder cannot be written"
  printf '%s' "$text" > "$next" || exit 91
  # The same file by another name: the one that takes its place is another one.
  ln -f "$file" "$copy" 2> /dev/null || cp -p "$file" "$copy" || exit 91
  mv "$next" "$file" || exit 91
fi
say changed "$changed"

put_back() {
  [ "$changed" = yes ] || return 0
  if [ "$pending" = yes ]; then cp -p "$copy" "$file"; else mv "$copy" "$file"; fi
}
finish() { tell_lines "$file"; exit 0; }
# Sets `master`.
read_configuration() {
  find_master "$file" "$1" && return 0
  case $? in
    1) nothing_to_do && finish; refused "$check" ;;
    2) put_back; refuse 95 "nginx's configuration does not include $1" ;;
    *) nothing_to_do && finish; put_back; refuse 94 "nginx does not run (no process of $pid_file)" ;;
  esac
}
refused() {
  put_back
  printf '%s\n' "$1" | grep -E '^nginx:' >&2
  refuse 93 'nginx refuses the configuration'
}
is_master || read_configuration "$1"
say master "$master"

# Sets `workers`, and `starting` where one has just been made. One that ends has another title. Not every kernel lists children.
list_workers() {
  if [ -r "/proc/$master/task/$master/children" ]; then read -r children < "/proc/$master/task/$master/children" || :
  else children=$(pgrep -P "$master")
  fi
  workers=; starting=
  for pid in $children; do
    title_of "$pid"
    case $title in
      'nginx: worker process') workers="$workers $pid" ;;
      'nginx: master process'*) starting=$pid ;;
    esac
  done
}
# Has the master not come to the signal yet? It takes none while it starts workers, and 0.1 s after that.
signal_waits() {
  while read -r key value; do
    [ "$key" = ShdPnd: ] || continue
    # SIGHUP is signal 1, the lowest bit.
    case $value in *[13579bdf]) return 0 ;; *) return 1 ;; esac
  done 2> /dev/null < "/proc/$master/status"
  return 1
}
renewed() {
  list_workers
  if [ "$taken" = no ]; then
    # These come from an earlier reload, and from a file as it was then.
    if signal_waits; then before="$before $workers"; return 1; fi
    taken=yes
  fi
  fresh=; stale=
  for pid in $workers; do
    case " $before " in *" $pid "*) stale="$stale $pid" ;; *) fresh=$pid ;; esac
  done
  [ -n "$fresh" ] && [ -z "$starting" ] || return 1
  [ -n "$stale" ] || return 0
  # The master gives its new workers 0.1 s before it tells the old ones to end, as it does here.
  # shellcheck disable=SC2086
  [ "$told" = yes ] || { told=yes; kill -s QUIT $stale 2> /dev/null; }
  return 1
}
# As `nginx -s reload` does, which reads the whole configuration once more before it does so.
reload() {
  list_workers
  before=$workers; taken=no; told=no
  kill -s HUP "$master" || return 94
  quick=0; at_once=0
  until renewed; do
    # An old one that was told stops taking requests within a millisecond.
    if [ "$told" = yes ] && [ "$at_once" -lt 10 ]; then at_once=$((at_once + 1)); continue; fi
    [ "$quick" -lt 70 ] || break
    quick=$((quick + 1))
    sleep 0.002
  done
  [ "$quick" -ge 70 ] || return 0
  # It takes its time, or it has refused what it read.
  wait_for 1 renewed && return 0
  check=$(nginx -t 2>&1) || return 93
  wait_for "$limit" renewed || return 96
}

if [ "$patience" = later ]; then
  nothing_to_do && finish
  wait "$tester" || check=$(nginx -t 2>&1) || refused "$check"
  (
    # Also where the shell around it is ended: that is what it is for.
    trap '' TERM HUP PIPE
    exec 8<&- 9>&-
    sleep 0.2
    read -r self _ < /proc/self/stat
    # Whoever came since has told it, or has left somebody else to tell.
    lock && read -r teller < "$later" && [ "$teller" = "$self" ] && is_master && reload && rm -f "$copy" "$later"
  ) < /dev/null > /dev/null 2>&1 &
  printf '%s\n' "$!" > "$later" || exit 91
  finish
fi
# Also when the file was changed before: nobody knows whether old workers have ended since.
if [ "$old" = "$new" ] && [ "$pending" = no ]; then list_workers; finish; fi
reload
case $? in
  0) rm -f "$copy" "$later" ;;
  93) refused "$check" ;;
  94) put_back; refuse 94 "nginx (process $master) cannot be told to reload by $(id -un)" ;;
  *) refuse 96 'nginx was told to reload and still runs its old workers; see its error log' ;;
esac

idle() {
  for pid in $before; do [ ! -d "/proc/$pid" ] || return 1; done
}
settled=yes
waited=0
while ! idle; do
  [ "$waited" -lt "$patience" ] || { settled=no; break; }
  sleep 0.01
  waited=$((waited + 10))
done
say settled "$settled"
finish
