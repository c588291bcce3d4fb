import { request } from 'undici';
import type { ApiUnderTest } from './api-under-test.js';

export interface Sse {
  id: string | undefined;
  event: string;
  data: Record<string, unknown>;
}

/** A client of the event stream, as somebody else would write it. Ends when the server closes. */
export async function* events(
  api: ApiUnderTest,
  id: string,
  options: { lastEventId?: string; query?: string; signal?: AbortSignal } = {},
): AsyncGenerator<Sse> {
  const answer = await request(`${api.api.url}/jobs/${id}/events${options.query ?? ''}`, {
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId }),
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}: ${await answer.body.text()}`);
  let rest = '';
  for await (const chunk of answer.body) {
    const blocks = (rest + String(chunk)).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const data = fields.get('data');
      if (data === undefined) continue; // a heartbeat
      yield { id: fields.get('id'), event: fields.get('event') ?? '', data: JSON.parse(data) };
    }
  }
}

export async function all(source: AsyncIterable<Sse>): Promise<Sse[]> {
  const collected: Sse[] = [];
  for await (const event of source) collected.push(event);
  return collected;
}
