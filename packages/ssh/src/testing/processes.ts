import { readdir, readFile } from 'node:fs/promises';

/** Pids of all processes below one, nearest first, from /proc (proc(5)). */
export async function descendants(pid: number | undefined): Promise<number[]> {
  if (pid === undefined) return [];
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc')) {
    const parent = /^\d+$/.test(name) ? await parentOf(name) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (
    let level = children.get(pid) ?? [];
    level.length > 0;
    level = level.flatMap((each) => children.get(each) ?? [])
  ) {
    found.push(...level);
  }
  return found;
}

/** Whether a process exists and has not ended (a zombie has). */
export async function isRunning(pid: number): Promise<boolean> {
  const state = (await statFields(String(pid)))?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

async function parentOf(pid: string): Promise<number | undefined> {
  const parent = (await statFields(pid))?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** Fields after the command name, which may itself hold blanks and brackets: state, parent, … */
async function statFields(pid: string): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
