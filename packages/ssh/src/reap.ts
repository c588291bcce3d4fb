import type { RemoteScript } from './transport.js';

/**
 * Ends a left-over command with all of its process group, which sshd makes for each command.
 *
 * Arguments: the mark in two parts, because this script must not find itself.
 * Answer: none. Exit code: always 0, also when nothing was found.
 */
export const REAP: RemoteScript = {
  name: 'reap',
  text: `
marked() { printf '%s%s\\n' "$1" "$2" | grep -lF -f - /proc/[0-9]*/cmdline 2>/dev/null | tr -dc '0-9\\n'; }
# A process that leads no group is ended alone: its group belongs to somebody else.
end() { kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" -- "$2" 2>/dev/null; }
pids=$(marked "$1" "$2")
[ -n "$pids" ] || exit 0
for pid in $pids; do end TERM "$pid"; done
tenths=0
while [ "$tenths" -lt 10 ] && [ -n "$(marked "$1" "$2")" ]; do
  sleep 0.1 2>/dev/null || sleep 1
  tenths=$((tenths + 1))
done
for pid in $(marked "$1" "$2"); do end KILL "$pid"; done
exit 0
`,
};
