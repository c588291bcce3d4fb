import { toRexError } from '@rexdeploy/shared/errors/rex-error';
import { releaseFolder } from '../hosts/release-folder.js';
import { scripts } from '../hosts/remote-scripts.js';
import type { InstanceContext } from '../rollout/context.js';

/** How much of a log goes into journals and answers. */
const LINES = 50;
const BYTES = 8 * 1024;
const READ_TIMEOUT_MS = 10_000;

export type LogReader = Pick<InstanceContext, 'instance' | 'host' | 'signal'>;

/**
 * The end of the app's log, and of what its service wrote, as it is added to the reason of a failure; empty where neither
 * is to be had. Never throws: a log that cannot be read must not hide the failure that it was read for.
 * @param said the service's output is in the reason already
 */
export async function endOfLog({ instance, host, signal }: LogReader, said = false): Promise<string> {
  const { log, programDir, service } = instance;
  const output = service === undefined || said ? '' : outputOf(programDir);
  if (log === undefined && output === '') return '';
  try {
    const args = [log ?? '', output, String(LINES), String(BYTES)];
    const { stdout } = await (await host()).run(scripts.appLog, args, { signal, timeoutMs: READ_TIMEOUT_MS });
    const [path = '', end = '', file = '', last = ''] = stdout.split('\0');
    const found = `\nlast lines of ${readable(path)}:\n${readable(end)}\n(end of the log)`;
    const ofLog = path !== '' ? found : log === undefined ? '' : `\n(no log to read at ${log})`;
    const ofService = file === '' ? '' : `\nlast output of the service:\n${readable(last)}\n(end of the output)`;
    return `${ofLog}${ofService}`;
  } catch (error) {
    return `\n(${log === undefined ? 'the output of the service' : `the log ${log}`} could not be read: ${toRexError(error).message})`;
  }
}

/** Without what would steer a terminal; bytes that are no text became three each, so the size is checked again. */
function readable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  const clean = text.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '').trimEnd();
  const bytes = Buffer.from(clean);
  let start = Math.max(0, bytes.length - BYTES);
  // Not in the middle of a character: UTF-8 continuation bytes are 10xxxxxx.
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.toString('utf8', start);
}

/** Where switch.sh lets a service write. */
function outputOf(programDir: string): string {
  const { folder, name } = releaseFolder(programDir);
  return `${folder}/${name}.out`;
}
