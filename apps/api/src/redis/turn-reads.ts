import type { Callback, ChainableCommander, Redis } from 'ioredis';

/** What one turn of the event loop wants to know, as it is collected. */
interface Turn {
  pipeline: ChainableCommander;
}

/**
 * Reads of one turn of the event loop go to Redis together, and what several requests of a turn want to know is asked once.
 * Those of the first request leave at once, so that Redis answers while the others are read, and all others at the end of
 * the turn. With the first reply that comes while its turn is still open, what was asked in it is forgotten: an answer is never
 * older than another that was read here before its question. It may be older, by less than a turn, than what came another way,
 * as by the event feed: who has such news asks by a question that `once` did not make.
 */
export class TurnReads {
  readonly #redis: Redis;
  /** Forget what was asked so far. */
  readonly #forget: (() => void)[] = [];
  #turn: Turn | undefined;

  /** @param redis fails fast (`redisOptions('request')`); its time limit is that of every read */
  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** A whole hash; `{}` when there is none. @throws Error of ioredis, of this read alone */
  hgetall(key: string): Promise<Record<string, string>> {
    return this.#ask((pipeline, done) => pipeline.hgetall(key, done));
  }

  /** Fields of a hash, `null` for each that is not there. @throws Error of ioredis, of this read alone */
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]> {
    return this.#ask((pipeline, done) => pipeline.hmget(key, ...fields, done));
  }

  /**
   * Entries of a stream, oldest first, at most `count`.
   * @param from id of an entry, included; `(<id>` without it; `-` from the first on
   * @throws Error of ioredis, of this read alone
   */
  xrange(key: string, from: string, count: number): Promise<[id: string, fields: string[]][]> {
    return this.#ask((pipeline, done) => pipeline.xrange(key, from, '+', 'COUNT', count, done));
  }

  /**
   * Makes a question that is asked once in a turn for each key, however many want to know, until a reply of the turn comes.
   * @param ask asks by reads of this object, begun at once
   */
  once<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
    const asked = new Map<string, Promise<T>>();
    this.#forget.push(() => asked.clear());
    return (key) => {
      const known = asked.get(key);
      if (known !== undefined) return known;
      const answer = ask(key);
      asked.set(key, answer);
      // Also where it needed no read: what is known now may be another in the next turn.
      this.#thisTurn();
      return answer;
    };
  }

  #ask<T>(add: (pipeline: ChainableCommander, done: Callback<T>) => unknown): Promise<T> {
    const turn = this.#thisTurn();
    return new Promise<T>((resolve, reject) => {
      add(turn.pipeline, (error, value) => {
        // Who knows this reply may ask again at once, and must not get what was asked before it. Of a turn that is over
        // nothing is left to forget, and what the present one asked was asked later.
        if (this.#turn === turn) this.#forgetAll();
        if (error) reject(error);
        else resolve(value as T);
      });
    });
  }

  #thisTurn(): Turn {
    if (this.#turn === undefined) {
      const turn = { pipeline: this.#redis.pipeline() };
      this.#turn = turn;
      process.nextTick(() => {
        send(turn);
        turn.pipeline = this.#redis.pipeline();
      });
      setImmediate(() => {
        this.#turn = undefined;
        this.#forgetAll();
        send(turn);
      });
    }
    return this.#turn;
  }

  #forgetAll(): void {
    for (const forget of this.#forget) forget();
  }
}

function send({ pipeline }: Turn): void {
  // Each read tells its own failure; the pipeline as a whole has none beside these.
  if (pipeline.length > 0) pipeline.exec().catch(() => undefined);
}
