/**
 * Figures that are right whichever process is asked: they are kept in Redis, and counted there together with the event
 * that they count.
 */

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}
/** Upper bounds of a histogram, in ascending order. */
export type StoredMetric = Definition & ({ type: 'counter' } | { type: 'histogram'; buckets: readonly number[] });

const counter = (name: string, labels: readonly string[], help: string) =>
  ({ type: 'counter', name: `rexdeploy_${name}_total`, labels, help }) as const;
const histogram = (name: string, labels: readonly string[], buckets: readonly number[], help: string) =>
  ({ type: 'histogram', name: `rexdeploy_${name}_seconds`, labels, buckets, help }) as const;

export const stored = {
  deployments: counter(
    'deployments',
    ['name', 'action', 'state'],
    'Deployments that have ended, by name, action and how they ended.',
  ),
  notBroughtBack: counter(
    'deployments_not_brought_back',
    ['name', 'action'],
    'Deployments that failed or were cancelled and left an instance that could not be brought back.',
  ),
  deploymentSeconds: histogram(
    'deployment_duration',
    ['action', 'state'],
    [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400],
    'From acceptance, or from its turn where it had to wait for its name, to the end; holds included.',
  ),
  stepSeconds: histogram(
    'step_duration',
    ['step', 'outcome'],
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
    'Steps of instances by outcome: done, failed, undone, undo-failed.',
  ),
  bytes: counter('transferred_bytes', ['name'], 'Bytes sent to hosts, as far as transfers have told.'),
  retries: counter('step_retries', ['step', 'class'], 'Attempts of steps that are repeated, by class of the error.'),
  sshErrors: counter(
    'ssh_errors',
    ['class'],
    'Errors on hosts and on the way to them by class: connection, auth, host_key, sudo, command, transfer, host_locked. An HTTP balancer that does not answer counts as connection.',
  ),
  notifications: counter(
    'notifications',
    ['notifier', 'outcome'],
    'Notifications by outcome: sent; failed, given up for good; retried, an attempt that is repeated.',
  ),
  appendSeconds: histogram(
    'journal_append',
    [],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    'Journal lag: from the time that a worker gives an event to its being in Redis, where every reader sees it.',
  ),
  renewalsFailed: counter(
    'lock_renewals_failed',
    [],
    'Deployments that a worker could not renew its hold on; another worker takes them.',
  ),
} as const satisfies Record<string, StoredMetric>;

/** A field of the hash and by how much it grows. */
export type Count = readonly [field: string, amount: number];

export const fieldOf = (name: string, labels: readonly string[]): string => [name, ...labels].join('|');

/** One more, or `amount` more, of a counter. */
export const count = (metric: StoredMetric, labels: readonly string[], amount = 1): Count => [
  fieldOf(metric.name, labels),
  amount,
];

/** One observation of a histogram. Its count is the sum of the buckets, so that the two never differ. */
export function observe(metric: StoredMetric, labels: readonly string[], seconds: number): Count[] {
  const bounds = metric.type === 'histogram' ? metric.buckets : [];
  const bound = bounds.find((upper) => seconds <= upper);
  return [
    [fieldOf(`${metric.name}_bucket`, [...labels, bound === undefined ? '+Inf' : String(bound)]), 1],
    [fieldOf(`${metric.name}_sum`, labels), seconds],
  ];
}
