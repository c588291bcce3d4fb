import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { refusal } from '@rexdeploy/shared/api/answer';
import type { Config } from '@rexdeploy/shared/config/resolved';
import { RequestError } from '@rexdeploy/shared/errors/request-errors';
import { settingsOf } from './answers/frame.js';
import { projected } from './answers/projection.js';

const STATUS_OF: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** Answers what is not HTTP, or too slow, in the documented shape too; there is no request to speak of. */
export function answerClientError(config: Config, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  const told = new RequestError({ what: `this is not a request: ${STATUS_CODES[status]}` });
  const frame = { param: {}, settings: settingsOf(config), takeMs: 0 };
  const answer = refusal(frame, told, status === 400);
  const body = JSON.stringify(projected(config.api.envelope, answer, { status }));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
