/**
 * The error family. Every error says what went wrong, where, and what to do about it; `retryable` is a property,
 * never guessed from wording. No message may hold a secret.
 */

/** What every error tells: `what` is one sentence, `where` a place (host, path, key), `whatToDo` an instruction. */
export interface ErrorFacts {
  what: string;
  where?: string | undefined;
  whatToDo?: string | undefined;
  cause?: unknown;
}

/** Plain form of an error, as the journal keeps it. */
export interface ErrorRecord {
  code: string;
  what: string;
  where?: string | undefined;
  whatToDo?: string | undefined;
}

export class RexError extends Error {
  readonly code: string = 'internal';
  /** True only for connection-class errors: the same call may succeed a moment later. */
  readonly retryable: boolean = false;
  readonly what: string;
  readonly where: string | undefined;
  readonly whatToDo: string | undefined;

  constructor(facts: ErrorFacts) {
    super(sentence(facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.what = facts.what;
    this.where = facts.where;
    this.whatToDo = facts.whatToDo;
  }

  /** The error as the journal keeps it; holds no stack. */
  toRecord(): ErrorRecord {
    return { code: this.code, what: this.what, where: this.where, whatToDo: this.whatToDo };
  }
}

/** One line: `<where>: <what>; <what to do>`. */
export function sentence(facts: Pick<ErrorFacts, 'what' | 'where' | 'whatToDo'>): string {
  const place = facts.where === undefined ? '' : `${facts.where}: `;
  const advice = facts.whatToDo === undefined ? '' : `; ${facts.whatToDo}`;
  return `${place}${facts.what}${advice}`;
}

/** Takes in whatever was thrown; anything foreign becomes an `internal` error with the original as its cause. */
export function toRexError(thrown: unknown, where?: string): RexError {
  if (thrown instanceof RexError) return thrown;
  const what = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return new RexError({ what, where, cause: thrown });
}
