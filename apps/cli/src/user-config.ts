import { readFileSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { z } from 'zod';
import { UsageError } from './errors.js';
import { note } from './output.js';

/** What a person need not say with every command. */
const userConfigSchema = z.strictObject({
  server: z.string().optional(),
  token: z.string().optional(),
});
export type UserConfig = z.infer<typeof userConfigSchema>;

const OTHERS_MAY_READ = 0o044;

/** `~/.config/rex/config.yml`, or where XDG_CONFIG_HOME says. */
export function userConfigFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'rex', 'config.yml');
}

/**
 * The user's own settings; empty where there is no such file. Warns when others may read the token in it.
 * @throws UsageError when the file cannot be read or holds something else
 */
export function readUserConfig(file: string = userConfigFile()): UserConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw new UsageError({ where: file, what: `cannot be read (${code})`, cause: error });
  }
  const config = parse(file, text);
  if (config.token !== undefined && (statSync(file).mode & OTHERS_MAY_READ) !== 0) {
    note(`rex: warning: others may read the token in ${file}; run: chmod 600 ${file}`);
  }
  return config;
}

function parse(file: string, text: string): UserConfig {
  const whatToDo = 'it may hold `server: http://…` and `token: …`, one a line';
  let found: unknown;
  try {
    found = load(text) ?? {};
  } catch (cause) {
    // Never the parser's own message: it quotes the line, which may be the token's.
    throw new UsageError({ where: file, what: 'is no YAML', whatToDo, cause });
  }
  const parsed = userConfigSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const keys = issue?.code === 'unrecognized_keys' ? `: ${issue.keys.join(', ')}` : '';
  throw new UsageError({
    where: file,
    what: `${issue?.path.join('.') || 'unknown keys'}${keys} cannot be used`,
    whatToDo,
  });
}

/** Writes the settings so that nobody else can read them, at no moment. */
export async function writeUserConfig(file: string, config: UserConfig): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, dump(config), { mode: 0o600, flag: 'wx' });
  await rename(temporary, file);
}
