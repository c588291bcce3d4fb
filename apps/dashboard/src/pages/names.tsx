import type { NameRow } from '@rexdeploy/shared/api/routes/names';
import { mayDeploy } from '@rexdeploy/shared/token-scope';
import { useState } from 'react';
import { api, rowsOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { DrainedNote } from '../parts/drained-note.js';
import { NameCard } from '../parts/name-card.js';
import { Page } from '../parts/page.js';
import { StaleNote } from '../parts/stale-note.js';
import { useSession } from '../state/session.js';
import { usePolled } from '../state/use-polled.js';

const EVERY_MS = 5_000;
/** From so many on it is worth looking for one. */
const MANY = 7;

/** What runs where: every name with its instances, and what is out of rotation. */
export function NamesPage() {
  const t = useText();
  const { role } = useSession();
  const [wanted, setWanted] = useState('');
  const names = usePolled('names', (signal) => api.call('GET /names', { signal }), EVERY_MS);
  const rows = names.data === undefined ? [] : rowsOf(names.data.data.data);
  const shown = rows.filter(({ k, desc }) => `${k} ${desc}`.toLowerCase().includes(wanted.trim().toLowerCase()));
  return (
    <Page
      title={t('names.title')}
      aside={
        rows.length < MANY ? null : (
          <label className="field field-row">
            <span>{t('names.filter')}</span>
            <input type="search" value={wanted} onChange={({ target }) => setWanted(target.value)} />
          </label>
        )
      }
    >
      {mayDeploy(role) ? null : <p className="small muted">{t('may.viewer')}</p>}
      <StaleNote polled={names} />
      <DrainedNote everyMs={EVERY_MS} />
      {names.data === undefined && names.error === undefined ? <p aria-busy="true">{t('app.loading')}</p> : null}
      {names.data !== undefined && rows.length === 0 ? <p>{t('names.none')}</p> : null}
      {rows.length > 0 && shown.length === 0 ? <p>{t('names.nomatch', { text: wanted })}</p> : null}
      <div className="names">
        {shown.map((row) => (
          <NameCard key={row.k} row={row} pollMs={isMoving(row) ? EVERY_MS : undefined} />
        ))}
      </div>
    </Page>
  );
}

/** Instances change while a deployment has the name; else their table is asked for once, and again when that changed. */
const isMoving = ({ lock }: NameRow): boolean => 'owner' in lock;
