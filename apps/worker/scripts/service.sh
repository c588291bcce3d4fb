# Starts, stops or restarts an instance, and changes nothing else. Safe to repeat.
# Args: program_dir verb (start|stop|restart) start stop (commands) pattern ('' = not known) stop_seconds start_seconds
# Answer: `mark` stop/start as each begins, `pids` after the start, `processes` that run in the end.
# Exit 91 stop, 93 start failed, 94 started but no process matches.
program=$1; verb=$2; start=$3; stop=$4; pattern=$5; stop_seconds=$6; start_seconds=$7
state=$(state_of "$program")
scratch=$(mktemp) || exit 92
log=$scratch
trap 'rm -f "$scratch"' EXIT
not_stopped() { refuse 91 "$1"; }

if [ "$verb" != start ]; then
  say mark stop
  end_app
fi
# Some scripts refuse to start what runs.
if [ "$verb" = start ] && [ -n "$pattern" ] && there; then :; elif [ "$verb" != stop ]; then
  say mark start
  # What a started daemon goes on to write here stays readable.
  log="$state/$(base_of "$program").out"
  true 2> /dev/null >> "$log" || log=$scratch
  begin_app
fi
[ -z "$pattern" ] || say_processes "$pattern"
exit 0
