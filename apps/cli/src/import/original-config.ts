import { readFileSync } from 'node:fs';
import { parseYaml } from '@rexdeploy/shared/config/parse-yaml';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { isSecretName, type Notes, tellable } from './notes.js';

/** What the original's `config.yml` says of one environment, as far as it has a counterpart. */
export interface OriginalConfig {
  environment: string;
  desc?: string | undefined;
  user?: string | undefined;
  privateKey?: string | undefined;
  password: boolean;
  sudo: boolean;
  allowEnv: string[];
  parallel?: number | undefined;
  settleSeconds?: number | undefined;
  health: { delaySeconds?: number | undefined; attempts?: number | undefined; intervalSeconds?: number | undefined };
}

const fileSchema = z.looseObject({ env: z.looseObject({ key: z.coerce.string() }) });
const sectionSchema = z.record(z.string(), z.unknown());

/** Keys that `importConfig` carries over, or that say how others are meant. */
const CARRIED = new Set([
  'key_auth',
  'pass_auth',
  'user',
  'password',
  'private_key',
  'global_sudo',
  'allow_env',
  'envDesc',
  'parallelism',
  'max_sleep_time',
  'checkurl_init_time',
  'checkurl_max_count',
  'checkurl_interval_time',
]);

/**
 * Reads the original's `config.yml`, and notes every key that has no counterpart.
 * @throws UsageError when it is none
 */
export function readOriginalConfig(file: string, notes: Notes, environment?: string): OriginalConfig {
  const document = fileSchema.safeParse(parseYaml(readText(file)));
  if (!document.success)
    throw new UsageError({ where: file, what: 'is no config.yml of the original: it has no env.key' });
  const key = environment ?? document.data.env.key;
  const section = sectionSchema.safeParse(document.data[key]);
  if (!section.success) throw new UsageError({ where: file, what: `has no section "${key}"` });
  const text = (name: string): string => String(section.data[name] ?? '').trim();
  const whole = (name: string): number | undefined => (/^\d+$/.test(text(name)) ? Number(text(name)) : undefined);
  for (const [name, value] of Object.entries(section.data)) {
    if (CARRIED.has(name) || String(value ?? '') === '') continue;
    notes.add(`config ${key}.${name}: no counterpart; was ${tellable(name, String(value))}`);
  }
  for (const name of Object.keys(document.data).filter((each) => each !== 'env' && each !== key)) {
    notes.add(`config section ${name}: another environment; import its own database with --env ${name}`);
  }
  const password = text('pass_auth') === 'true';
  if (isSecretName('password') && text('password') !== '') {
    notes.add(`config ${key}.password: a secret, not written${password ? '; set REX_SSH_PASSWORD' : ''}`);
  }
  return {
    environment: key,
    desc: text('envDesc') || undefined,
    user: text('user') || undefined,
    privateKey: text('key_auth') === 'true' ? text('private_key') || undefined : undefined,
    password,
    sudo: text('global_sudo') === 'on',
    allowEnv: text('allow_env')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '' && each !== key),
    parallel: whole('parallelism'),
    settleSeconds: whole('max_sleep_time'),
    health: {
      delaySeconds: whole('checkurl_init_time'),
      attempts: whole('checkurl_max_count'),
      intervalSeconds: whole('checkurl_interval_time'),
    },
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError({ where: file, what: 'cannot be read', cause });
  }
}
