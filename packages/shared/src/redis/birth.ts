import { readFileSync } from 'node:fs';

/**
 * What tells a process from a later one of the same number: the boot of the machine and the time of its start within it;
 * undefined when there is no such process.
 */
export function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields after the command's name, which may itself hold blanks and brackets; the start is number 22 (proc(5)).
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return start === undefined ? undefined : `${bootId()}:${start}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return ''; // hidden in some containers; the start time alone is nearly as good
  }
}
