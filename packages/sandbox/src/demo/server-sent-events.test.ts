import { expect, test } from 'vitest';
import { readEvents } from './server-sent-events.js';

test('events are found however the stream was cut, comments are passed over', async () => {
  const all = Buffer.from(
    ': beat\n\nid: 1\nevent: step-done\ndata: {"a":"发布"}\n\nevent: end\ndata: one\ndata: two\n\n',
  );
  async function* byteByByte(): AsyncGenerator<Uint8Array> {
    for (const byte of all) yield Uint8Array.of(byte);
  }
  const expected = [
    { type: 'step-done', data: '{"a":"发布"}' },
    { type: 'end', data: 'one\ntwo' },
  ];
  const found = [];
  for await (const event of readEvents(byteByByte())) found.push(event);
  expect(found).toEqual(expected);
});
