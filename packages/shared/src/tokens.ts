import { createHash, randomInt } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ConflictError, NotFoundError } from './errors/request-errors.js';
import type { Keys } from './redis/keys.js';
import { LuaScript } from './redis/lua.js';
import { type Role, roleSchema } from './token-scope.js';

export { allowsName, type Role, roleSchema } from './token-scope.js';

const storedSchema = z.object({
  name: z.string(),
  role: roleSchema,
  /** Comma-separated patterns of names, `*` for any text. */
  names: z.string(),
  created: z.coerce.number(),
  /** Milliseconds since 1970; 0 = never. */
  expires: z.coerce.number(),
  /** 0 = not yet. */
  lastUsed: z.coerce.number(),
  /** The token's ten digits and last four letters, to recognise it by. */
  masked: z.string(),
});
export type TokenRecord = z.infer<typeof storedSchema>;

/** `<10-digit unix seconds><32 lowercase letters>` (contract §3). */
export const TOKEN = /^\d{10}[a-z]{32}$/;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** `lastUsed` is written at most this often. */
const LAST_USED_STEP_MS = 10_000;

/**
 * Notes that a token was used, unless it was revoked meanwhile: a record of this alone would be no token's.
 * KEYS token · ARGV now (ms) · Answer 1, or 0 when there is none
 */
const USED = new LuaScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'lastUsed', ARGV[1])
return 1
`);

/** Makes a token from the system's random source; its 32 letters carry 150 bits. */
export function makeToken(nowMs: number): string {
  const letters = Array.from({ length: 32 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `${Math.floor(nowMs / 1000)}${letters}`;
}

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The tokens in Redis; only their SHA-256 is kept. */
export class Tokens {
  readonly #redis: Redis;
  readonly #keys: Keys;
  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * @param spec `expiresMs` is an instant in milliseconds since 1970, absent for never; `names` patterns such as `server,shop*`
   * @returns the token itself; it cannot be had again
   * @throws ConflictError when a token of that name exists
   */
  async create(spec: { name: string; role?: Role; names?: string; expiresMs?: number }): Promise<string> {
    const now = Date.now();
    const token = makeToken(now);
    const sha = hashToken(token);
    if ((await this.#redis.hsetnx(this.#keys.tokenNames, spec.name, sha)) === 0) {
      throw new ConflictError({
        what: `a token named "${spec.name}" exists`,
        whatToDo: `revoke it first (rex token revoke --name ${spec.name}), or choose another name`,
      });
    }
    await this.#redis.hset(this.#keys.token(sha), {
      name: spec.name,
      role: spec.role ?? 'deployer',
      names: spec.names ?? '*',
      created: now,
      expires: spec.expiresMs ?? 0,
      lastUsed: 0,
      masked: `${token.slice(0, 10)}…${token.slice(-4)}`,
    });
    return token;
  }

  /**
   * The record of a token that may be used now, else why not. What is no whole record is no token's.
   * @param reads what reads the record, where that is not the connection itself
   */
  async verify(
    token: string,
    reads: { hgetall(key: string): Promise<Record<string, string>> } = this.#redis,
  ): Promise<TokenRecord | 'unknown' | 'expired'> {
    if (!TOKEN.test(token)) return 'unknown';
    const key = this.#keys.token(hashToken(token));
    const record = storedSchema.safeParse(await reads.hgetall(key)).data;
    if (record === undefined) return 'unknown';
    const now = Date.now();
    if (record.expires !== 0 && record.expires <= now) return 'expired';
    if (now - record.lastUsed > LAST_USED_STEP_MS) await USED.run(this.#redis, [key], [now]);
    return record;
  }

  /** The record of a token, whether it may be used or not; undefined for an unknown one. */
  async find(token: string): Promise<TokenRecord | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const fields = await this.#redis.hgetall(this.#keys.token(hashToken(token)));
    return storedSchema.safeParse(fields).data;
  }

  async list(): Promise<TokenRecord[]> {
    const shas = await this.#redis.hvals(this.#keys.tokenNames);
    const all = await Promise.all(shas.map((sha) => this.#redis.hgetall(this.#keys.token(sha))));
    return all
      .filter((fields) => Object.keys(fields).length > 0)
      .map((fields) => storedSchema.parse(fields))
      .sort((a, b) => a.created - b.created);
  }

  /** @throws NotFoundError when there is no token of that name */
  async revoke(name: string): Promise<void> {
    const sha = await this.#redis.hget(this.#keys.tokenNames, name);
    if (sha === null) {
      throw new NotFoundError({ what: `there is no token named "${name}"`, whatToDo: 'see rex token list' });
    }
    await this.#redis.multi().del(this.#keys.token(sha)).hdel(this.#keys.tokenNames, name).exec();
  }
}
