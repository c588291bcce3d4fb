/** The start/stop script of one instance, as it would lie in /etc/init.d. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ServiceFacts {
  file: string;
  /** Distinguishes the instance's processes on the command line. */
  process: string;
  programDir: string;
  configDir: string;
  address: string;
  port: number;
  pidFile: string;
  logFile: string;
}

export function writeServiceScript(facts: ServiceFacts): void {
  for (const file of [facts.file, facts.pidFile, facts.logFile]) mkdirSync(dirname(file), { recursive: true });
  writeFileSync(facts.file, scriptText(facts), { mode: 0o755 });
}

/** The mark stands only in variables: on the command line of a helper such as grep it would be counted as the app. */
function scriptText(facts: ServiceFacts): string {
  return `#!/bin/sh
# Usage: ${facts.file} start|stop|restart|status
# start   0 running (also when it ran already), 1 it ended before it was set up; the log tells why
# stop    0 not running any more (also when it did not run), 1 it cannot be ended
# status  0 running, 3 not running
name='${facts.process}'
program_dir='${facts.programDir}'
config_dir='${facts.configDir}'
pid_file='${facts.pidFile}'
log_file='${facts.logFile}'
listen='${facts.address}:${facts.port}'

running() {
  [ -r "$pid_file" ] || return 1
  read -r pid < "$pid_file" || return 1
  # The number may have passed on to another program; a process that ended but was not collected has no words.
  case "$(tr '\\0' ' ' 2>/dev/null < "/proc/$pid/cmdline")" in
    *"--name=$name "*) return 0 ;;
  esac
  return 1
}

start() {
  running && { echo "$name is running already"; return 0; }
  cd "$program_dir" || return 1
  # It holds descriptor 3 until it is set up and says so there; nothing of the caller's stays open in it.
  ready=$(setsid '${process.execPath}' server.js --name="$name" --listen="$listen" --config="$config_dir" \\
    --pid-file="$pid_file" --ready-fd=3 3>&1 >> "$log_file" 2>&1 < /dev/null &)
  [ "$ready" = ready ] && { echo "$name started"; return 0; }
  echo "$name did not start: $(tail -n 1 "$log_file")" >&2
  return 1
}

stop() {
  running || { echo "$name is not running"; return 0; }
  kill -TERM "$pid"
  rounds=0
  while running; do
    rounds=$((rounds + 1))
    [ "$rounds" -eq 250 ] && kill -KILL -- "-$pid"
    [ "$rounds" -gt 300 ] && { echo "$name cannot be stopped" >&2; return 1; }
    sleep 0.02
  done
  echo "$name stopped"
}

case "$1" in
  start) start ;;
  stop) stop ;;
  restart) stop && start ;;
  status) if running; then echo "$name is running"; else echo "$name is not running"; exit 3; fi ;;
  *) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
`;
}
