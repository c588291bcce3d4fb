import { routes } from '@rexdeploy/shared/api/routes';
import type { Lock, NameRow } from '@rexdeploy/shared/api/routes/names';
import type { ResolvedName } from '@rexdeploy/shared/config/resolved';
import { NotFoundError, UnavailableError } from '@rexdeploy/shared/errors/request-errors';
import { list } from '@rexdeploy/shared/journal/envelope';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { allowsName } from '@rexdeploy/shared/tokens';
import type { FastifyInstance } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { observeName } from '../observe-name.js';
import { queryOf, querySchema } from '../params/query.js';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';
import { callerOf, mustAllowName } from '../plugins/auth.js';
import { observedRow, truthRow } from '../truth-table.js';

const listQuery = querySchema(routes['GET /names'].query.shape);
const nameQuery = querySchema(routes['GET /names/:k'].query.shape);
/** Deployments that are looked through for what is known of a name's instances. */
const LOOK_BACK = 30;
/** Further jobs of any kind: what was taken out or restarted since. */
const LOOK_AROUND = 10;

/** The names of this environment, and what is true of one. */
export async function nameRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, deployments } = parts;
  const { names } = config.own;

  app.get('/names', { config: { access: 'token' } }, async (request, reply) => {
    queryOf(request, listQuery);
    const visible = [...names.values()].filter(({ k }) => allowsName(callerOf(request), k));
    const rows = await Promise.all(visible.map(summary));
    return answerOf(request, reply, config, { data: list(rows), msg: `${rows.length} names` });
  });

  app.get<{ Params: { k: string } }>('/names/:k', { config: { access: 'token' } }, async (request, reply) => {
    const { observe } = queryOf(request, nameQuery);
    const { k } = request.params;
    mustAllowName(callerOf(request), k);
    const name = names.get(k);
    if (name === undefined) {
      const known = [...names.keys()].join(', ') || 'none';
      throw new NotFoundError({ what: `there is no name ${quote(k)}`, whatToDo: `names are: ${known}` });
    }
    const [states, lock] = await Promise.all([statesOf(k), lockOf(k)]);
    const told = [...name.instances.values()].map((instance) => truthRow(instance, states));
    const msg = `${told.length} instances of ${k}`;
    if (observe !== '1') return answerOf(request, reply, config, { data: list(told), msg, lock });
    const seen = await observeName(parts, request, reply, name);
    const rows = told.map((row) => observedRow(row, seen.observed[String(row.instance)]));
    const observed_at = new Date(seen.lastMs).toISOString();
    return answerOf(request, reply, config, { data: list(rows), msg, lock, observed_at });
  });

  async function summary({ k, desc, batches, instances }: ResolvedName): Promise<NameRow> {
    const [lock, last] = await Promise.all([lockOf(k), deployments.newest(k)]);
    return {
      k,
      desc,
      batches: list(batches.map((batch) => batch.join(' '))),
      instances: list([...instances.values()].map(({ key, host }) => ({ instance: key, host }))),
      lock,
      last_deployment:
        last === undefined
          ? {}
          : { id: last.id, state: last.state, created_at: new Date(last.createdMs).toISOString() },
    };
  }

  async function lockOf(k: string): Promise<Lock> {
    const owner = await deployments.lockOwner(k);
    if (owner === undefined) return {};
    const { id, head } = owner;
    // `{}`: nothing is known of it any more; `Deploy:Db:initdb` frees the name.
    return {
      owner: id,
      state: head?.state ?? {},
      since: head === undefined ? {} : new Date(head.createdMs).toISOString(),
    };
  }

  /** Journals that cannot be read tell nothing; the others still do. */
  async function statesOf(name: string): Promise<DeploymentState[]> {
    const mayShow = (): boolean => true;
    const [rollouts, jobs] = await Promise.all([
      deployments.list({ name, rollouts: true, limit: LOOK_BACK, mayShow }),
      deployments.list({ name, limit: LOOK_AROUND, mayShow }),
    ]);
    const all = new Map([...rollouts.heads, ...jobs.heads].map((head) => [head.id, head]));
    const heads = [...all.values()].sort((one, other) => other.createdMs - one.createdMs);
    const states = await Promise.all(
      heads.map(({ id }) =>
        deployments.find(id).then(
          ({ state }) => state,
          (error: unknown) => {
            if (error instanceof UnavailableError) throw error;
            return undefined;
          },
        ),
      ),
    );
    return states.filter((state) => state !== undefined);
  }
}
