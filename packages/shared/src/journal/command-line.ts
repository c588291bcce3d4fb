/** A request written as a command. `param` holds the parameters as received, its token already masked. */

/** `deploy,--k="server",--senv="uat",--token="…",--w="1"`: the documented `requestCmd`, parameters in order of name. */
export function requestCommand(param: Readonly<Record<string, string>>): string {
  const { action = '', ...others } = param;
  const flags = Object.keys(others)
    .sort()
    .map((name) => `--${name}="${others[name]}"`);
  return [action, ...flags, '--w="1"'].join(',');
}

/** Actions that our CLI calls otherwise. */
const COMMANDS: Readonly<Record<string, string>> = { 'Deploy:Db:initdb': 'unlock' };

/** The same as a command line of our CLI, ready for a shell; the token comes from the environment there. */
export function commandLine(param: Readonly<Record<string, string>>): string {
  const { action = '', token: _, wait: __, ...others } = param;
  const flags = Object.keys(others)
    .sort()
    .map((name) => `--${name.replaceAll('_', '-')} ${shellWord(others[name] ?? '')}`);
  return ['rex', COMMANDS[action] ?? action, ...flags].join(' ');
}

const shellWord = (text: string): string =>
  /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
