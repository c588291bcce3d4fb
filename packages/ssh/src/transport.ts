import type { Readable, Writable } from 'node:stream';
import type { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import type { Place } from './connection-failure.js';
import type { TunnelOptions } from './open-tunnel.js';
import type { Tunnel } from './tunnel.js';

/** Fixed text for `sh`; what varies reaches it as `$1`, `$2`, …, never by building the text. */
export interface RemoteScript {
  /** Marks the process on the host, as `$0` = `rex:<name>:<id of the run>`. */
  readonly name: string;
  readonly text: string;
  /**
   * May be run in a shell that is kept open for more: it reads no input, its output is text without control characters, and
   * what it leaves running holds neither of its outputs and is in a process group of its own.
   */
  readonly kept?: KeptScript;
}

/** How a kept shell knows a script: by the texts that it consists of, one after another. */
export interface KeptScript {
  /** The texts of all such scripts; the same list for each of them. */
  readonly texts: readonly string[];
  /** Places in `texts`. */
  readonly parts: readonly number[];
}

export interface RunOptions {
  /**
   * Bytes for the command's stdin. A stream is piped with backpressure, belongs to the command from then on and is
   * destroyed when the command ends before it does. Absent: stdin is closed.
   */
  input?: Readable | Buffer | string;
  /** Told of each piece of an `input` stream that is read no more, in their order; its buffer may be filled anew. */
  onTaken?: (piece: Buffer) => void;
  /** Each complete line of stdout without its newline, as it arrives; stdout is then collected as a tail only. */
  onLine?: (line: string) => void;
  /**
   * Raw stdout goes here, with backpressure, instead of being collected. Ended when the command ends, and the result
   * waits for its `finish`; destroyed when the command fails.
   */
  output?: Writable;
  /** For the whole command, in ms; default 10 min. */
  timeoutMs?: number;
  /** Fails when no byte moved in either direction for this many ms; default: not watched. */
  idleTimeoutMs?: number;
  signal?: AbortSignal;
  /** Exit codes that are answers; default `[0]`. */
  okCodes?: readonly number[];
  /** Most stdout that is collected, in bytes, and longest line for `onLine`; default 16 MiB, more is an error. */
  maxOutputBytes?: number;
}

export interface RunResult {
  code: number;
  /** All of stdout; with `onLine` its last 4 KiB, with `output` nothing. */
  stdout: string;
  /** Last 64 KiB of stderr. */
  stderr: string;
  durationMs: number;
}

/** One host, one connection, any number of commands. */
export interface Transport extends AsyncDisposable {
  readonly host: string;
  /** False once the connection is gone; it never comes back. */
  readonly alive: boolean;
  /**
   * Runs a script and waits for its end.
   *
   * @throws CommandError for a code outside `okCodes`, a signal, a time-out, an abort, too much output
   * @throws ConnectionError when the connection or the channel failed, whatever the command did meanwhile
   */
  run(script: RemoteScript, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Ends the connection; commands still running fail. Safe to call again. */
  close(): Promise<void>;
}

/** A connection through which others can be made. */
export interface JumpTransport extends Transport {
  readonly port: number;
  /** Is nothing under way on it? Absent: it is not known, and nobody keeps it for later. */
  readonly idle?: boolean;
  /** Has the host answered within so many ms? */
  answers?(withinMs: number): Promise<boolean>;
  /**
   * Has the host connect to another one.
   *
   * @throws ConnectionError when it cannot or may not; the signal's reason when aborted
   */
  openTunnel(to: Place, options: TunnelOptions): Promise<Tunnel>;
  /** Calls back at the end of the connection, at once when it is gone already; the result withdraws the callback. */
  onLost(listener: (error: ConnectionError) => void): () => void;
}

export interface SshSettings {
  host: string;
  port: number;
  user: string;
  privateKeyPath?: string;
  passphrase?: string;
  password?: string;
  /** Path of an ssh-agent's socket. */
  agent?: string;
  knownHostsPath: string;
  /** Everything is run as root, through `sudo -n`. */
  sudo?: boolean;
  /** The host through which this one is reached, which may itself be reached through another. */
  via?: SshSettings;
  /** From the first packet to being logged in, in ms; default 10,000. */
  connectTimeoutMs?: number;
  /** Interval of keep-alive requests, in ms; default 10,000; three unanswered ones end the connection. */
  keepaliveMs?: number;
}
