import type { JobRow } from '@rexdeploy/shared/api/routes/jobs';
import { textOf } from '../api/client.js';
import { duration } from '../format.js';
import { useText } from '../i18n/text.js';

const HEIGHT = 64;
const STEP = 12;
/** Room above the bars for the mark of those that did not succeed. */
const TOP = 10;

/** How long the jobs shown took. One that did not succeed has a cross on its bar, and not only another colour. */
export function DurationChart({ rows }: { rows: readonly JobRow[] }) {
  const t = useText();
  const bars = rows
    .flatMap((row) => {
      const ended = textOf(row.ended_at);
      if (ended === undefined || row.dry_run === '1' || !['deploy', 'rollback', 'converge'].includes(row.action))
        return [];
      return [{ row, ms: Date.parse(ended) - Date.parse(row.created_at) }];
    })
    .reverse();
  if (bars.length < 2) return null;
  const sorted = bars.map(({ ms }) => ms).sort((a, b) => a - b);
  const max = sorted.at(-1) ?? 1;
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const failed = bars.filter(({ row }) => row.state !== 'succeeded').length;
  const y = (ms: number): number => TOP + (HEIGHT - TOP) * (1 - ms / Math.max(1, max));
  const label = t('history.chart.label', {
    n: bars.length,
    median: duration(median, t),
    max: duration(max, t),
    failed,
  });
  return (
    <figure className="card chart">
      <figcaption className="small muted">{t('history.chart')}</figcaption>
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`}
        height={HEIGHT}
        width={bars.length * STEP}
      >
        {bars.map(({ row, ms }, at) => (
          <g key={row.id} className={row.state === 'succeeded' ? 'chart-good' : 'chart-bad'}>
            <title>{`${row.k} ${row.state} ${duration(ms, t)}`}</title>
            <rect
              x={at * STEP + 2}
              width={STEP - 4}
              y={Math.min(y(ms), HEIGHT - 2)}
              height={Math.max(2, HEIGHT - y(ms))}
            />
            {row.state === 'succeeded' ? null : <path d={`M${at * STEP + 3.5} ${y(ms) - 7}l5 5m0-5l-5 5`} />}
          </g>
        ))}
        <line className="chart-median" x1="0" x2={bars.length * STEP} y1={y(median)} y2={y(median)} />
      </svg>
      <p className="small muted">{label}</p>
    </figure>
  );
}
