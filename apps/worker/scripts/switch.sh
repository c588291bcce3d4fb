# Stops an instance, brings its directories to a wanted state, starts it. Safe to repeat.
# Args: program_dir program_want config_dir config_want start stop pattern before stop_seconds start_seconds
#   *_want: `link <release>`, `directory <where it was moved to>` or `absent`; config_dir '' = none
#   start/stop: commands, '' = none; pattern '' = not known; before: suffix for a plain directory that has to make way
# Answer: `mark` stop/switch/start as each begins, `pids` after the start.
# Exit 91 stop, 92 switch, 93 start failed, 94 started but no process matches.
program=$1; program_want=$2; config=$3; config_want=$4; start=$5; stop=$6; pattern=$7; before=$8; stop_seconds=$9
shift 9
start_seconds=$1
log=$(mktemp) || exit 92
trap 'rm -f "$log"' EXIT

# A service may leave its output open in a daemon: it gets a file, so that nobody waits for it.
service() {
  timeout -k 5 "$2" sh -c "$1" < /dev/null > "$log" 2>&1
  code=$?
  [ "$code" -eq 0 ] && return 0
  [ "$code" -eq 124 ] && printf '"%s" did not end within %s s\n' "$1" "$2" >&2
  printf '"%s" ended with exit code %s; its last output:\n' "$1" "$code" >&2
  tail -n 50 "$log" >&2
  return 1
}
gone() { [ -z "$(matching "$pattern")" ]; }
there() { [ -n "$(matching "$pattern")" ]; }

say mark stop
if [ -n "$pattern" ] && gone; then :; elif [ -n "$stop" ]; then
  stopped=yes
  service "$stop" "$stop_seconds" || stopped=no
  if [ -n "$pattern" ]; then
    if ! wait_for "$stop_seconds" gone; then
      printf 'processes that match "%s" went on after stop; they are killed\n' "$pattern" >&2
      # shellcheck disable=SC2046
      kill -9 $(matching "$pattern") 2> /dev/null
      wait_for 5 gone || refuse 91 "processes that match \"$pattern\" cannot be ended"
    fi
  elif [ "$stopped" = no ]; then
    refuse 91 'the service did not stop'
  fi
fi

# $1 = directory, $2 = wanted state
put() {
  want=${2%% *}; where=${2#* }
  case $want in
    link)
      [ -d "$where" ] || refuse 92 "$where is not there"
      if [ -d "$1" ] && [ ! -L "$1" ]; then
        [ ! -e "$1$before" ] || refuse 92 "$1 has to make way and $1$before is taken"
        mv -T "$1" "$1$before" || refuse 92 "$1 cannot be moved to $1$before"
      fi
      # One rename: there is no moment without a link.
      rm -f "$1.rex-new"
      ln -s "$where" "$1.rex-new" && mv -T "$1.rex-new" "$1" || refuse 92 "$1 cannot be linked to $where"
      [ "$(readlink -f -- "$1")" = "$(readlink -f -- "$where")" ] || refuse 92 "$1 does not lead to $where"
      ;;
    directory)
      if [ ! -d "$1" ] || [ -L "$1" ]; then
        [ -d "$where" ] || refuse 92 "$where is not there"
        rm -f "$1" && mv -T "$where" "$1" || refuse 92 "$where cannot be moved back to $1"
      fi
      ;;
    absent)
      if [ -L "$1" ]; then rm -f "$1" || refuse 92 "$1 cannot be removed"; fi
      ;;
    *) refuse 92 "unknown wanted state $2" ;;
  esac
}
say mark switch
[ -n "$config" ] && put "$config" "$config_want"
put "$program" "$program_want"

say mark start
[ -n "$start" ] || exit 0
service "$start" "$start_seconds" || exit 93
[ -n "$pattern" ] || exit 0
wait_for "$start_seconds" there || refuse 94 "the service was started, but no process matches \"$pattern\""
say pids "$(matching "$pattern" | tr '\n' ' ')"
