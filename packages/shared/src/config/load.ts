import { readFileSync } from 'node:fs';
import { dirname, resolve as resolvePath } from 'node:path';
import { load as parseYaml, YAMLException } from 'js-yaml';
import { ConfigError, type ConfigIssue } from '../errors/config-error.js';
import { explain } from './explain.js';
import { resolveFreezes } from './freeze.js';
import { interpolate } from './interpolate.js';
import { resolveEnvironment } from './resolve.js';
import type { Config, ResolvedEnvironment } from './resolved.js';
import { type ConfigFile, configSchema } from './schema.js';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads `config.yml` (or the file that `REX_CONFIG` names) and settles all of it.
 * @param file path, relative to the current folder
 * @param variables the environment; `REX_ENV` overrides `env.key`
 * @throws ConfigError with every fault at once
 */
export function loadConfig(file = process.env.REX_CONFIG ?? 'config.yml', variables: Variables = process.env): Config {
  const path = resolvePath(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    const issue = { path: '(file)', found: code, expected: 'a readable config.yml, or REX_CONFIG naming one' };
    throw new ConfigError(path, [issue], cause);
  }
  return parseConfig(text, path, variables);
}

/** As `loadConfig`, from text. `path` is the absolute path that relative paths and messages refer to. */
export function parseConfig(text: string, path: string, variables: Variables): Config {
  const { document, issues } = interpolate(parseDocument(text, path), variables);
  const overridden = override(document, variables.REX_ENV);
  const parsed = configSchema.safeParse(overridden);
  if (!parsed.success) throw new ConfigError(path, [...issues, ...explain(parsed.error.issues, overridden)]);
  if (issues.length > 0) throw new ConfigError(path, issues);
  return settle(parsed.data, path);
}

function parseDocument(text: string, path: string): unknown {
  try {
    return parseYaml(text, { filename: path });
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    const line = cause.mark === undefined ? '(file)' : `line ${cause.mark.line + 1}, column ${cause.mark.column + 1}`;
    throw new ConfigError(path, [{ path: line, found: cause.reason, expected: 'YAML' }], cause);
  }
}

function override(document: unknown, key: string | undefined): unknown {
  if (!key || document === null || typeof document !== 'object') return document;
  return { ...document, env: { key } };
}

function settle(file: ConfigFile, path: string): Config {
  const directory = dirname(path);
  const issues: ConfigIssue[] = [];
  const environments = new Map<string, ResolvedEnvironment>();
  for (const [key, section] of Object.entries(file.environments)) {
    const resolved = resolveEnvironment(key, section, directory);
    environments.set(key, resolved.environment);
    issues.push(...resolved.issues);
    for (const senv of section.allow_senv) {
      if (!(senv in file.environments) || senv === key) {
        const expected = senv === key ? 'another environment than itself' : 'an environment of this file';
        issues.push({ path: `environments.${key}.allow_senv`, found: `"${senv}"`, expected });
      }
    }
  }
  const own = environments.get(file.env.key);
  if (own === undefined) {
    const known = [...environments.keys()].join(', ');
    issues.push({ path: 'env.key', found: `"${file.env.key}"`, expected: `one of ${known}` });
  }
  if (issues.length > 0 || own === undefined) throw new ConfigError(path, issues);
  return {
    file: path,
    directory,
    own,
    environments,
    timezone: file.timezone,
    dataDir: resolvePath(directory, file.data_dir),
    redis: file.redis,
    api: {
      host: file.api.host,
      port: file.api.port,
      printStdout: file.api.print_stdout === 1 ? 1 : 0,
      envelope: file.api.envelope,
      rateLimit: file.api.rate_limit,
    },
    worker: {
      concurrency: file.worker.concurrency,
      lockMs: file.worker.lock,
      stalledCheckMs: file.worker.stalled_check,
      sweepAfterMs: file.worker.sweep_after,
    },
    journal: { keepMs: file.journal.keep, keepPerName: file.journal.keep_per_name },
    packages: { allowHosts: file.packages.allow_hosts, maxBytes: file.packages.max_bytes, keep: file.packages.keep },
    freeze: resolveFreezes(file.freeze),
  };
}
