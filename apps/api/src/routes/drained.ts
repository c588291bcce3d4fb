import { routes } from '@rexdeploy/shared/api/routes';
import type { DrainedRow } from '@rexdeploy/shared/api/routes/drained';
import { findHead } from '@rexdeploy/shared/deployments/list';
import { list } from '@rexdeploy/shared/journal/envelope';
import { type Drained, readDrained } from '@rexdeploy/shared/journal/ledger';
import { allowsName } from '@rexdeploy/shared/tokens';
import type { FastifyInstance } from 'fastify';
import { answerOf } from '../answers/frame.js';
import { queryOf, querySchema } from '../params/query.js';
import type { ApiParts } from '../parts.js';
import { callerOf } from '../plugins/auth.js';
import { askRedis } from '../redis/ask.js';

const noParams = querySchema(routes['GET /drained'].query.shape);

/** `GET /drained`: every instance out of rotation by our hand, since when, for which deployment. */
export async function drainedRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  const { config, redis, keys } = parts;

  app.get('/drained', { config: { access: 'token' } }, async (request, reply) => {
    queryOf(request, noParams);
    const unread: string[] = [];
    const onBad = (instance: string): void => {
      request.log.error({ instance }, 'the drain ledger holds an entry that this version cannot read');
      unread.push(instance);
    };
    const entries = await askRedis(() => readDrained(redis, keys, onBad));
    const visible = entries
      .filter(({ name }) => allowsName(callerOf(request), name))
      .sort((a, b) => a.since.localeCompare(b.since));
    const mayShow = (name: string | undefined): boolean => name === undefined || allowsName(callerOf(request), name);
    const rows = [
      ...(await Promise.all(visible.map(row))),
      ...unread.filter((instance) => mayShow(nameOf(instance))).map(unreadRow),
    ];
    return answerOf(request, reply, config, { data: list(rows), msg: `${rows.length} instances out of rotation` });
  });

  const nameOf = (instance: string): string | undefined =>
    [...config.own.names.values()].find(({ instances }) => instances.has(instance))?.k;

  /** That it is out is known, and no more. */
  function unreadRow(instance: string): DrainedRow {
    const k = nameOf(instance);
    const host = k === undefined ? undefined : config.own.names.get(k)?.instances.get(instance)?.host;
    const unknown = { since: {}, deployment: {}, state: {}, exact: {} };
    return { k: k ?? {}, instance, host: host ?? {}, ...unknown, kept: 'written by another version: cannot be read' };
  }

  async function row({ name, instance, since, deployment, exact, kept }: Drained): Promise<DrainedRow> {
    const owner = await askRedis(() => findHead(redis, keys, deployment));
    return {
      k: name,
      instance,
      // `{}`: it is no longer configured.
      host: config.own.names.get(name)?.instances.get(instance)?.host ?? {},
      since,
      deployment,
      // `{}`: Redis does not know it any more.
      state: owner?.state ?? {},
      exact,
      kept: kept ?? '',
    };
  }
}
