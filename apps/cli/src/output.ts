/** Results go to stdout, everything said along the way to stderr, so that `rex … | jq` sees the result alone. */

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
