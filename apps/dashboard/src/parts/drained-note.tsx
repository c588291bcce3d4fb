import type { DrainedRow } from '@rexdeploy/shared/api/routes/drained';
import { api, rowsOf, textOf } from '../api/client.js';
import { age } from '../format.js';
import { useText } from '../i18n/text.js';
import { hrefOf } from '../router.js';
import { useNow } from '../state/use-now.js';
import { usePolled } from '../state/use-polled.js';
import { Icon } from './icon.js';
import { StaleNote } from './stale-note.js';

/** What is out of rotation by our hand: the first thing to know when something is slow at night. */
export function DrainedNote({ everyMs }: { everyMs: number }) {
  const t = useText();
  const now = useNow(everyMs);
  const drained = usePolled('drained', (signal) => api.call('GET /drained', { signal }), everyMs);
  const rows = drained.data === undefined ? [] : rowsOf(drained.data.data.data);
  if (rows.length === 0) return <StaleNote polled={drained} />;
  return (
    <div className="note note-warn" role="status">
      <Icon name="warn" />
      <div>
        <strong className="note-title">
          {rows.length === 1 ? t('names.drained.one') : t('names.drained.many', { n: rows.length })}
        </strong>
        <ul className="plain">
          {rows.map((row) => (
            <li key={row.instance}>
              <b className="mono">{row.instance}</b> <Since row={row} now={now} />
              {'; '}
              {row.kept === ''
                ? t('names.drained.gives', { exact: textOf(row.exact)?.trim() ?? t('app.unknown') })
                : t('names.drained.kept', { why: row.kept })}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** Since when and for which deployment, as far as the ledger tells this version. */
function Since({ row, now }: { row: DrainedRow; now: number }) {
  const t = useText();
  const [since, id] = [textOf(row.since), textOf(row.deployment)];
  if (since === undefined || id === undefined) return <span className="muted">{t('app.unknown')}</span>;
  return <a href={hrefOf(['jobs', id])}>{t('names.drained.row', { age: age(now - Date.parse(since), t), id })}</a>;
}
