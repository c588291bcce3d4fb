import {
  type Envelope,
  type InstanceRecord,
  instanceRecordSchema,
  type Leaves,
} from '@rexdeploy/shared/api/envelope-schema';
import { table } from './table.js';

/** A deployment's answer as a person reads it: what became of it, then one line per instance. */
export function renderResult(envelope: Envelope): string {
  const { job } = envelope;
  const head = envelope.msg ?? job?.why ?? envelope.data.msg;
  const batches = Object.values(children(envelope.data.data));
  const records = batches.flatMap((batch) => Object.values(children(children(batch).data)).flatMap(asRecord));
  const log = envelope.respon.stdout === '' ? [] : [envelope.respon.stdout];
  return [
    ...log,
    ...(records.length === 0 ? [] : [table(HEAD, records.map(row))]),
    ...batches.flatMap(differences),
    job === undefined ? head : `${job.id} ${job.state}: ${head}`,
  ].join('\n');
}

const HEAD = ['INSTANCE', 'HOST', 'RELEASE', 'FORMER', 'PROCESSES', 'TAKE'];

const row = (record: InstanceRecord): string[] => [
  record.deploy_key,
  record.deploy_ip,
  ...[record.deloy_prodir_after, record.deloy_prodir_before, record.processNumber].map(textOr),
  record.deploy_take,
];

/** Rows of a dry run: counts, and the first paths. */
function differences(view: Leaves): string[] {
  const { deploy_key: key, program, config } = children(view);
  if (typeof key !== 'string' || program === undefined) return [];
  return [...difference(`${key} program`, program), ...difference(`${key} config`, config ?? {})];
}

function difference(label: string, view: Leaves): string[] {
  const { added, changed, removed, unchanged, paths } = children(view);
  if (added === undefined) return [];
  const counts = `${label}: ${textOr(added)} new, ${textOr(changed ?? '')} changed, ${textOr(removed ?? '')} gone, ${textOr(unchanged ?? '')} the same`;
  return [counts, ...Object.values(children(paths)).map((path) => `  ${textOr(path)}`)];
}

const children = (node: Leaves | undefined): Record<string, Leaves> => (typeof node === 'object' ? node : {});
/** An absent value is `{}` in the documented answer. */
const textOr = (leaf: Leaves): string => (typeof leaf === 'string' ? leaf : '-');

function asRecord(node: Leaves): InstanceRecord[] {
  const parsed = instanceRecordSchema.safeParse(node);
  return parsed.success ? [parsed.data] : [];
}
