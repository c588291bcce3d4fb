/** A deployment's journal as a worker writes it, without a host. */
import { claim } from '@rexdeploy/shared/journal/journal';

/** Accepts a deployment of `server` and takes it as a worker does. */
export async function beginDeployment({ client, connection, keys }) {
  const { status, body } = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  if (status !== 202) throw new Error(`the deployment was answered with ${status} ${body.msg}`);
  const journal = await claim(connection, keys, body.job.id, 'bench');
  if (journal === undefined) throw new Error(`${body.job.id} cannot be claimed`);
  return journal;
}

/** All that happens to two instances, except for the end. */
export async function fillJournal(journal) {
  for (const [batch, [instance]] of journal.state.request.batches.entries()) {
    await journal.append({ type: 'batch-started', batch });
    for (const step of ['stage', 'guard', 'drain', 'switch', 'verify', 'restore', 'record']) {
      await journal.append({ type: 'step-started', instance, step, found: foundBy(step, instance) });
      await journal.append({ type: 'step-done', instance, step, facts: factsOf(step, instance), ms: 10 });
    }
    await journal.append({ type: 'batch-finished', batch });
  }
}

const foundBy = (step, instance) => {
  if (step === 'guard') return { program: { real: `/data/www/${instance}_20180521_043510` } };
  return step === 'drain' ? { in: true } : {};
};

function factsOf(step, instance) {
  if (step === 'restore') return { in: true };
  if (step !== 'record') return {};
  const real = `/data/www/${instance}_20180521_043510`;
  return {
    host: '192.0.2.1',
    program: { path: `/data/www/${instance}`, kind: 'link', real, after: `/data/www/${instance}_new` },
    size: '32M /data/www/html',
    startMs: 1,
    stagedMs: 2,
    startAppMs: 3,
    endMs: 4,
    processNumber: 2,
    randomStr: '1527665969426659803',
  };
}
