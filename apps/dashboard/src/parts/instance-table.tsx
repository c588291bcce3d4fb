import type { TruthRow } from '@rexdeploy/shared/api/routes/names';
import type { ReactNode } from 'react';
import { textOf } from '../api/client.js';
import { age, ago, releaseName } from '../format.js';
import { useText } from '../i18n/text.js';
import { hrefOf } from '../router.js';
import { useNow } from '../state/use-now.js';
import { Icon } from './icon.js';
import { StateMark } from './state-mark.js';

interface Props {
  k: string;
  rows: readonly TruthRow[];
  /** By instance: since when it has its release. */
  released?: Readonly<Record<string, string>> | undefined;
}

/** The instances of a name. On narrow screens each row becomes a block of its own. */
export function InstanceTable({ k, rows, released = {} }: Props) {
  const t = useText();
  const columns = ['instance', 'host', 'release', 'age', 'rotation', 'last'] as const;
  return (
    <table className="table" aria-label={k}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {t(`names.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <InstanceRow key={row.instance} row={row} releasedAt={released[row.instance]} />
        ))}
      </tbody>
    </table>
  );
}

function InstanceRow({ row, releasedAt }: { row: TruthRow; releasedAt: string | undefined }) {
  const t = useText();
  const now = useNow(10_000);
  const lastId = textOf(row.last_deployment);
  const lastState = textOf(row.last_state);
  const at = textOf(row.at);
  return (
    <>
      <tr>
        <th scope="row" className="mono" data-label={t('names.instance')}>
          {row.instance}
        </th>
        <td className="mono" data-label={t('names.host')}>
          {row.host}
        </td>
        <td data-label={t('names.release')}>
          <Release row={row} />
        </td>
        <td data-label={t('names.age')}>
          {releasedAt === undefined ? (
            <Unknown />
          ) : (
            <time dateTime={releasedAt} title={releasedAt}>
              {age(now - Date.parse(releasedAt), t)}
            </time>
          )}
        </td>
        <td data-label={t('names.rotation')}>
          <Rotation row={row} />
        </td>
        <td data-label={t('names.last')}>
          {lastId === undefined || lastState === undefined ? (
            <span className="muted">{t('names.never')}</span>
          ) : (
            <a className="mark-link" href={hrefOf(['jobs', lastId])}>
              <StateMark state={lastState} />
              {at === undefined ? null : <span className="muted"> {ago(now - Date.parse(at), t)}</span>}
            </a>
          )}
        </td>
      </tr>
      <SeenRow row={row} />
    </>
  );
}

function Release({ row }: { row: TruthRow }) {
  const t = useText();
  const linked = textOf(row.linked) ?? textOf(row.should_run);
  if (linked === undefined) return <Unknown />;
  const wanted = textOf(row.should_run);
  const answering = textOf(row.answering);
  return (
    <>
      <span className="mono" title={linked}>
        {releaseName(linked)}
      </span>
      {wanted === undefined || wanted === linked ? null : (
        <Warning>{t('names.should', { release: releaseName(wanted) })}</Warning>
      )}
      {answering === undefined || answering === linked ? null : (
        <Warning>{t('names.answers', { release: releaseName(answering) })}</Warning>
      )}
    </>
  );
}

function Rotation({ row }: { row: TruthRow }) {
  const t = useText();
  const rotation = textOf(row.in_rotation);
  if (rotation === undefined) return <Unknown />;
  const isIn = rotation === '1';
  return (
    <span className={`mark ${isIn ? 'mark-succeeded' : 'mark-out'}`} title={textOf(row.rotation)}>
      <Icon name={isIn ? 'check' : 'warn'} />
      {t(isIn ? 'names.in' : 'names.out')}
    </span>
  );
}

/** What only a look at the host tells. */
function SeenRow({ row }: { row: TruthRow }) {
  const t = useText();
  if (row.error === undefined) return null;
  const [health, processes, lock] = [textOf(row.health), textOf(row.processes), textOf(row.lock)];
  const seen = [
    health === undefined ? '' : t('names.health', { health }),
    processes === undefined ? '' : t('names.processes', { n: processes }),
    textOf(row.rotation)?.trim() ?? '',
    lock === undefined || lock === '' ? '' : t('names.locked', { lock }),
  ].filter((text) => text !== '');
  return (
    <tr className="seen">
      <td colSpan={6}>
        {seen.join(' · ')}
        {row.error === '' ? null : <Warning>{row.error}</Warning>}
      </td>
    </tr>
  );
}

function Unknown() {
  const t = useText();
  return (
    <span className="muted" title={t('app.unknown')}>
      {t('app.none')}
      <span className="hidden">{t('app.unknown')}</span>
    </span>
  );
}

function Warning({ children }: { children: ReactNode }) {
  return (
    <span className="warning">
      <Icon name="warn" />
      {children}
    </span>
  );
}
