import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { address } from './address.js';

/** How far an attempt has come; words that complete "failed while …". */
export type Stage = 'connecting' | 'shaking hands' | 'logging in' | 'connected';

/** A host and the port of its sshd. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Socket errors by code (errno(3), Node's dns module), in the words of whoever must act. */
const SOCKET_FAULTS = new Map<string, { what: string; whatToDo: string }>([
  ['ECONNREFUSED', { what: 'connection refused', whatToDo: 'check that sshd runs there and the port is right' }],
  ['ECONNRESET', { what: 'connection reset by the host', whatToDo: "check the host and sshd's log" }],
  ['EPIPE', { what: 'connection closed by the host', whatToDo: "check the host and sshd's log" }],
  ['ETIMEDOUT', { what: 'connection timed out', whatToDo: 'check that the host is up and no firewall is between' }],
  ['EHOSTUNREACH', { what: 'host unreachable', whatToDo: 'check that the host is up and the route to it' }],
  ['ENETUNREACH', { what: 'network unreachable', whatToDo: 'check the route to the host' }],
  ['ENOTFOUND', { what: 'host name not found', whatToDo: 'check the name and DNS' }],
  ['EAI_AGAIN', { what: 'host name could not be resolved', whatToDo: 'check DNS' }],
]);

/** Wording of ssh2 1.17 (lib/protocol/kex.js), the only mark it gives; a test against a real sshd keeps it true. */
const NO_COMMON_KEX = 'Handshake failed: no matching key exchange algorithm';

/** Makes a ConnectionError out of whatever a connection failed with. */
export function connectionFailure(place: Place, stage: Stage, error: Error): ConnectionError {
  const facts = { host: place.host, where: address(place.host, place.port), cause: error };
  if (error.message === NO_COMMON_KEX) {
    return new ConnectionError({
      ...facts,
      what: 'handshake failed: no common key exchange; trying again will not help',
      whatToDo:
        'the host may allow only post-quantum key exchange, which is not supported: ' +
        'add curve25519-sha256 (or ecdh-sha2-nistp256) to KexAlgorithms in its sshd_config',
    });
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const fault = code === undefined ? undefined : SOCKET_FAULTS.get(code);
  if (fault !== undefined)
    return new ConnectionError({ ...facts, what: `${fault.what} ${during(stage)}`, whatToDo: fault.whatToDo });
  // A failed happy-eyeballs attempt carries its code but no message.
  const detail = error.message || code || error.name;
  return new ConnectionError({
    ...facts,
    what: `connection failed ${during(stage)}: ${detail}`,
    whatToDo: "check the host and sshd's log",
  });
}

/** The connection came to its end without an error. */
export function connectionClosed(place: Place, stage: Stage): ConnectionError {
  return new ConnectionError({
    host: place.host,
    where: address(place.host, place.port),
    what: `the host closed the connection ${during(stage)}`,
    whatToDo:
      stage === 'connected'
        ? "check the host and sshd's log"
        : "check sshd's log, MaxStartups and ban lists on the host",
  });
}

/** Nothing came in time. */
export function connectionTimedOut(place: Place, stage: Stage, timeoutMs: number): ConnectionError {
  return new ConnectionError({
    host: place.host,
    where: address(place.host, place.port),
    what: `timed out after ${timeoutMs} ms ${during(stage)}`,
    whatToDo: 'check that the host is up, answers as an SSH server and no firewall is between',
  });
}

/** RFC 4254 §5.1: the host does not allow it. Its sshd says so for AllowTcpForwarding, PermitOpen and the like. */
const PROHIBITED = 1;

/** A jump host did not connect to the next one. */
export function tunnelFailure(jump: Place, to: Place, error: Error): ConnectionError {
  const gate = address(jump.host, jump.port);
  const prohibited = 'reason' in error && error.reason === PROHIBITED;
  const advice = prohibited
    ? `AllowTcpForwarding and PermitOpen in the sshd_config of ${gate} must allow it`
    : `check host and port as they are seen from ${gate}`;
  return new ConnectionError({
    host: to.host,
    where: address(to.host, to.port),
    what: `jump host ${gate} did not connect to it: ${error.message}`,
    whatToDo: advice,
    cause: error,
  });
}

/** A jump host gave no answer in time. */
export function tunnelTimedOut(jump: Place, to: Place, timeoutMs: number): ConnectionError {
  const gate = address(jump.host, jump.port);
  return new ConnectionError({
    host: to.host,
    where: address(to.host, to.port),
    what: `jump host ${gate} did not connect to it within ${timeoutMs} ms`,
    whatToDo: `check that the host is up and no firewall is between ${gate} and it`,
  });
}

/** The connection ended with that of the jump host it goes through. */
export function jumpLost(place: Place, jump: Place, error: ConnectionError): ConnectionError {
  return new ConnectionError({
    host: place.host,
    where: address(place.host, place.port),
    what: `jump host ${address(jump.host, jump.port)} is gone: ${error.what}`,
    whatToDo: error.whatToDo,
    cause: error,
  });
}

function during(stage: Stage): string {
  return `while ${stage}`;
}
