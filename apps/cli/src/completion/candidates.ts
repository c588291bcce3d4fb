import type { Argument, Command, Option } from 'commander';

/** One thing that may stand at the cursor. */
export interface Candidate {
  value: string;
  about: string;
}

/** What the shell is to offer: these words, or files. */
export type Offer = readonly Candidate[] | 'files';

/** Finds values that only the API or the config knows. */
export type FindValues = (what: ValueKind, line: LineSoFar) => Promise<readonly Candidate[]>;
export type ValueKind = 'name' | 'instance' | 'environment' | 'package' | 'release' | 'job' | 'live-job' | 'host';

/** What is known of a command line that is still being written. */
export interface LineSoFar {
  command: Command;
  /** Values of options before the cursor, by attribute name, the last one counts. */
  options: ReadonlyMap<string, string>;
}

/** Values of options that are no fixed choice, by long flag. */
const OPTION_VALUES: Readonly<Record<string, ValueKind | 'files'>> = {
  '--k': 'name',
  '--instance': 'instance',
  '--senv': 'environment',
  '--package': 'package',
  '--to': 'release',
  '--config': 'files',
  '--known-hosts': 'files',
};

/** Values of arguments, by the command's path and the argument's name. */
const ARGUMENT_VALUES: Readonly<Record<string, ValueKind | 'files'>> = {
  job: 'job',
  'cancel job': 'live-job',
  'hold job': 'live-job',
  'resume job': 'live-job',
  file: 'files',
  'host[:port]': 'host',
};

/**
 * What may stand at the cursor of a command line.
 * @param words after `rex`; the last one is being written and may be empty
 */
export async function offerFor(program: Command, words: readonly string[], find: FindValues): Promise<Offer> {
  const partial = words.at(-1) ?? '';
  const place = walk(program, words.slice(0, -1));
  const options = optionsOf(place.command);
  const byPartial = (candidates: readonly Candidate[], prefix = partial): Candidate[] =>
    candidates.filter(({ value }) => value.startsWith(prefix));

  const [, flag, begun] = /^(--[\w-]+)=(.*)$/s.exec(partial) ?? [];
  const named = flag === undefined ? undefined : options.find(({ long }) => long === flag);
  if (named !== undefined) {
    const offer = await valuesOf(named, place, find);
    if (offer === 'files') return offer;
    return byPartial(offer, begun).map(({ value, about }) => ({ value: `${flag}=${value}`, about }));
  }
  if (place.awaits !== undefined && !(place.awaits.optional && partial.startsWith('-'))) {
    const offer = await valuesOf(place.awaits, place, find);
    return offer === 'files' ? offer : byPartial(offer);
  }
  if (partial.startsWith('-')) {
    const unused = options.filter((option) => option.variadic || !place.used.has(option.attributeName()));
    return byPartial(unused.map((option) => ({ value: option.long ?? option.flags, about: option.description })));
  }
  const subcommands = visibleCommands(place.command);
  if (subcommands.length > 0) return byPartial(subcommands);
  const argument = place.command.registeredArguments[place.arguments];
  if (argument === undefined) return [];
  const offer = await valuesOfArgument(argument, place, find);
  return offer === 'files' ? offer : byPartial(offer);
}

interface Place extends LineSoFar {
  used: ReadonlySet<string>;
  /** Option before the cursor that takes a value. */
  awaits: Option | undefined;
  /** Arguments that stand there already. */
  arguments: number;
}

/** Reads the words before the cursor as commander would. */
function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let count = 0;
  let awaits: Option | undefined;
  const options = new Map<string, string>();
  const used = new Set<string>();
  for (const word of words) {
    if (awaits !== undefined && !(awaits.optional && word.startsWith('-'))) {
      options.set(awaits.attributeName(), word);
      awaits = undefined;
      continue;
    }
    awaits = undefined;
    if (word.startsWith('-')) {
      const [flag, ...value] = word.split('=');
      const option = optionsOf(command).find(({ long, short }) => long === flag || short === flag);
      if (option === undefined) continue;
      used.add(option.attributeName());
      if (value.length > 0) options.set(option.attributeName(), value.join('='));
      else if (option.required || option.optional) awaits = option;
      continue;
    }
    const sub = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (sub !== undefined && count === 0) command = sub;
    else count += 1;
  }
  return { command, options, used, awaits, arguments: count };
}

/** Its own and those of the commands above it, which commander takes after it as well. */
function optionsOf(command: Command): Option[] {
  const all: Option[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) {
    all.push(...at.createHelp().visibleOptions(at));
  }
  return [...new Map(all.reverse().map((option) => [option.long, option])).values()];
}

const visibleCommands = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), about: each.description() }));

async function valuesOf(option: Option, line: LineSoFar, find: FindValues): Promise<Offer> {
  if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value, about: '' }));
  const kind = OPTION_VALUES[option.long ?? ''];
  return kind === undefined || kind === 'files' ? (kind ?? []) : find(kind, line);
}

async function valuesOfArgument(argument: Argument, line: LineSoFar, find: FindValues): Promise<Offer> {
  if (argument.argChoices !== undefined) return argument.argChoices.map((value) => ({ value, about: '' }));
  const kind = ARGUMENT_VALUES[`${line.command.name()} ${argument.name()}`] ?? ARGUMENT_VALUES[argument.name()];
  return kind === undefined || kind === 'files' ? (kind ?? []) : find(kind, line);
}
