/** Processor time and memory of processes, from /proc. */
import { readFileSync, writeFileSync } from 'node:fs';
import { argumentsOf, descendantsOf, listProcesses } from '@rexdeploy/sandbox/proc';

/** Clock ticks a second; the same on every Linux that Node runs on. */
const TICKS = 100;

/** Seconds that a process has used, with all children that it has waited for; 0 when it is gone. */
export function cpuOf(pid) {
  const fields = statOf(pid);
  return fields === undefined ? 0 : fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** The same of a process and all that live below it. */
export const cpuOfTree = (pid) => [pid, ...descendantsOf(pid)].reduce((sum, each) => sum + cpuOf(each), 0);

/** Of children that have ended, this process's own time left out. */
export function cpuOfEndedChildren() {
  const fields = statOf(process.pid) ?? [];
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

/** Seconds in which the machine's cores were busy, since its start. */
export function cpuOfMachine() {
  const words = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = words;
  return (user + nice + system + irq + softirq) / TICKS;
}

/** Processes with a word on their command line that holds `text`; some put all of it into one word. */
export const processesWith = (text) =>
  listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid && argumentsOf(pid).some((word) => word.includes(text)));

/** Peak of the resident memory in MiB since the start or the last `forgetPeak`. */
export const peakRssMiB = (pid) => statusOf(pid, 'VmHWM');
export const rssMiB = (pid) => statusOf(pid, 'VmRSS');

export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusOf(pid, field) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
}

function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name stands in parentheses and may itself hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
