/**
 * `node stream-clients.mjs <url> <token> <count>`: so many clients of one event stream. Says `ready` when all have had the
 * first event; at the end of stdin one JSON line: of all `log` events after that, how long after their `at` each came.
 */
import { connect } from 'node:net';

const [url, token, count] = process.argv.slice(2);
const { hostname, port, pathname } = new URL(url);
const latencies = [];
let begun = 0;

function open() {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a stream was closed')));
    socket.on('data', (text) => {
      const now = Date.now();
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        if (block.includes('event: accepted')) resolve();
        if (!block.includes('event: log')) continue;
        latencies.push(now - Date.parse(/"at":"([^"]+)"/.exec(block)[1]));
      }
    });
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  });
}

while (begun < Number(count)) {
  const some = Math.min(50, Number(count) - begun);
  await Promise.all(Array.from({ length: some }, open));
  begun += some;
}
process.stdout.write('ready\n');
process.stdin.resume();
process.stdin.on('end', () => {
  process.stdout.write(`${JSON.stringify(latencies)}\n`, () => process.exit(0));
});
