import { type ErrorFacts, RexError } from './rex-error.js';

/** Something that went wrong on, or on the way to, one host. */
export class HostError extends RexError {
  override readonly code: string = 'host';
  readonly host: string;
  constructor(facts: ErrorFacts & { host: string }) {
    super({ where: facts.host, ...facts });
    this.host = facts.host;
  }
}

/** Refused, reset, timed out, handshake or channel failed: the next attempt may succeed. */
export class ConnectionError extends HostError {
  override readonly code = 'connection';
  override readonly retryable = true;
}

/** The host's key is unknown or changed; the message names the fingerprint and the command that trusts it. */
export class HostKeyError extends HostError {
  override readonly code = 'host_key';
  readonly fingerprint: string;
  constructor(facts: ErrorFacts & { host: string; fingerprint: string }) {
    super(facts);
    this.fingerprint = facts.fingerprint;
  }
}

/** The host accepted none of our ways to log in. */
export class AuthError extends HostError {
  override readonly code = 'auth';
}

/** The host let us in, but not become root as the configuration wants it. */
export class SudoError extends HostError {
  override readonly code = 'sudo';
}

/** A remote command that ended badly: an exit code, a signal, a time-out or an abort; no exit code is never success. */
export class CommandError extends HostError {
  override readonly code = 'command';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Last part of what the command wrote, at most a few KiB. */
  readonly stdoutTail: string;
  readonly stderrTail: string;
  constructor(
    facts: ErrorFacts & {
      host: string;
      exitCode?: number | null;
      signal?: string | null;
      timedOut?: boolean;
      stdoutTail?: string;
      stderrTail?: string;
    },
  ) {
    super(facts);
    this.exitCode = facts.exitCode ?? null;
    this.signal = facts.signal ?? null;
    this.timedOut = facts.timedOut ?? false;
    this.stdoutTail = facts.stdoutTail ?? '';
    this.stderrTail = facts.stderrTail ?? '';
  }
}

/** A tree did not arrive as it was sent. */
export class TransferError extends HostError {
  override readonly code: string = 'transfer';
}

/** Another controller's deployment holds the instance, by a lock on its host. */
export class HostLockedError extends HostError {
  override readonly code = 'host_locked';
}
