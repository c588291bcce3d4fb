# Put before the scripts that start and stop an instance. They set: start, stop (commands, '' = none), pattern ('' = not
# known), start_seconds, stop_seconds, log (file for what the service writes), and a function `not_stopped` that ends the
# script with its argument as the reason. Exit 93 the start failed, 94 started but no process matches.
# A service may leave its output open in a daemon: it gets a file, so that nobody waits for it.
# $1 = command, $2 = seconds at most, rest = variables
service() {
  what=$1; seconds=$2
  shift 2
  (
    umask "$login_umask"
    if [ -n "$login_lc_all" ]; then LC_ALL=$login_lc_all; else unset LC_ALL; fi
    for variable do export "$variable"; done
    exec timeout -k 5 "$seconds" sh -c "$what"
  ) < /dev/null > "$log" 2>&1 9>&-
  code=$?
  [ "$code" -eq 0 ] && return 0
  [ "$code" -eq 124 ] && printf '"%s" did not end within %s s\n' "$what" "$seconds" >&2
  printf '"%s" ended with exit code %s; its last output:\n' "$what" "$code" >&2
  tail -n 50 "$log" | tail -c 3072 >&2
  return 1
}
gone() { match "$pattern"; [ -z "$matched" ]; }
there() { match "$pattern"; [ -n "$matched" ]; }

# Stops the app, where it runs or nobody knows that. $1 = yes: it was seen to run a moment ago
end_app() {
  if [ "${1-}" != yes ] && [ -n "$pattern" ] && gone; then :; elif [ -n "$stop" ]; then
    stopped=yes
    service "$stop" "$stop_seconds" || stopped=no
    if [ -n "$pattern" ]; then
      if ! wait_for "$stop_seconds" gone; then
        printf 'processes that match "%s" went on after stop; they are killed\n' "$pattern" >&2
        match "$pattern"
        # shellcheck disable=SC2086
        [ -z "$matched" ] || kill -9 $matched 2> /dev/null
        if ! wait_for 5 gone; then
          # Somebody else's, such as a pager on its log: no reason to leave the instance down after an orderly stop.
          [ "$stopped" = yes ] || not_stopped "processes that match \"$pattern\" cannot be ended"
          printf 'these are not ours to end and are left: %s\n' "$matched" >&2
        fi
      fi
    elif [ "$stopped" = no ]; then
      not_stopped 'the service did not stop'
    fi
  fi
}

# Starts it. Answer: `pids` of its processes, where there is a pattern.
begin_app() {
  service "$start" "$start_seconds" || exit 93
  if [ -n "$pattern" ]; then
    wait_for "$start_seconds" there || refuse 94 "the service was started, but no process matches \"$pattern\""
    pids=$matched
    say pids "$pids "
  fi
}
