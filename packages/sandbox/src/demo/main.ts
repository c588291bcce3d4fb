/** `npm run demo [-- --keep]`: the answer on stdout, everything else on stderr. */
import { ReleaseStack } from '../release-stack.js';
import { Progress } from './progress.js';
import { keepText, runDemo } from './run-demo.js';

/** A terminal's Ctrl-C may arrive twice, directly and forwarded; only a later one means "at once". */
const SAME_SIGNAL_MS = 1000;

const interrupted = new AbortController();
const whenInterrupted = new Promise<void>((resolve) => {
  interrupted.signal.addEventListener('abort', () => resolve());
});
let interruptedAt = 0;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interruptedAt === 0) {
      interruptedAt = Date.now();
      interrupted.abort(new Error(`ended by ${name}`));
    } else if (Date.now() - interruptedAt > SAME_SIGNAL_MS) process.exit(130);
  });
}

/** @returns the exit code */
async function main(words: readonly string[]): Promise<number> {
  const unknown = words.filter((word) => word !== '--keep');
  if (unknown.length > 0) throw new Error(`unknown option ${unknown.join(' ')}; there is only --keep`);
  const progress = new Progress(process.stderr);
  const releases = new ReleaseStack();
  try {
    const aborted = whenInterrupted.then(() => interrupted.signal.throwIfAborted()) as Promise<never>;
    const result = await Promise.race([runDemo(progress, releases, interrupted.signal), aborted]);
    const { envelope } = result;
    await new Promise((resolve) => process.stdout.write(`${JSON.stringify(envelope, null, 2)}\n`, resolve));
    if (envelope.code !== '0') throw new Error(envelope.msg ?? 'the deployment failed; the answer tells why');
    if (words.includes('--keep')) {
      process.stderr.write(keepText(result));
      await whenInterrupted;
    }
    return 0;
  } finally {
    await releases.close();
  }
}

main(process.argv.slice(2)).then(
  // What was still being started when we were interrupted is ended by the exit itself.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(interruptedAt === 0 ? 1 : 130);
  },
);
