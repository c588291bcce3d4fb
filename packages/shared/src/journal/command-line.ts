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
const COMMANDS: Readonly<Record<string, string>> = {
  'Deploy:Db:initdb': 'unlock',
  'Enter:deploy:main': 'deploy',
  list: 'names',
  'loadService:main:check': 'checkurl',
  queryk: 'weights',
  'loadService:main:queryk': 'weights',
  updatek: 'weights',
  'loadService:main:update': 'weights',
};
/** Parameters that `rex weights` calls otherwise. */
const OPTIONS: Readonly<Record<string, string>> = { weight: 'set', w: 'set' };

/** The same as a command line of our CLI, ready for a shell; the token comes from the environment there. */
export function commandLine(param: Readonly<Record<string, string>>): string {
  const { action = '', token: _, wait: __, ...others } = param;
  const flags = Object.keys(others)
    .sort()
    .map((name) => `--${optionOf(name)} ${shellWord(others[name] ?? '')}`);
  return ['rex', COMMANDS[action] ?? action, ...flags].join(' ');
}

const optionOf = (name: string): string => OPTIONS[name] ?? name.replaceAll('_', '-');

const shellWord = (text: string): string =>
  /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
