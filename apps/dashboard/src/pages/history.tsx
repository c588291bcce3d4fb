import { jobSchema } from '@rexdeploy/shared/api/envelope-schema';
import type { JobRow } from '@rexdeploy/shared/api/routes/jobs';
import { useState } from 'react';
import { api, rowsOf, textOf } from '../api/client.js';
import { duration } from '../format.js';
import { useText } from '../i18n/text.js';
import { DurationChart } from '../parts/duration-chart.js';
import { MomentText } from '../parts/moment-text.js';
import { Page } from '../parts/page.js';
import { StaleNote } from '../parts/stale-note.js';
import { StateMark } from '../parts/state-mark.js';
import { hrefOf, replacePlace } from '../router.js';
import { usePolled } from '../state/use-polled.js';

const EVERY_MS = 10_000;
const PAGE = '50';
const STATES = jobSchema.shape.state.options;
const FILTERS = ['k', 'state', 'by', 'since', 'until'] as const;
type Filter = Record<(typeof FILTERS)[number], string>;

/** The jobs, newest first, narrowed by what stands in the address, so that a view can be sent to somebody. */
export function HistoryPage({ query }: { query: URLSearchParams }) {
  const t = useText();
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ''])) as Filter;
  const wanted = JSON.stringify(filter);
  const [page, setPage] = useState({ wanted, cursor: '' });
  const cursor = page.wanted === wanted ? page.cursor : '';
  const jobs = usePolled(
    `jobs ${wanted} ${cursor}`,
    (signal) => api.call('GET /jobs', { query: queryOf(filter, cursor), signal }),
    EVERY_MS,
  );
  const rows = jobs.data === undefined ? [] : rowsOf(jobs.data.data.data);
  const older = jobs.data?.data.cursor ?? '';
  return (
    <Page title={t('history.title')}>
      <Filters filter={filter} />
      <StaleNote polled={jobs} />
      <DurationChart rows={rows} />
      {jobs.data === undefined && jobs.error === undefined ? <p aria-busy="true">{t('app.loading')}</p> : null}
      {jobs.data !== undefined && rows.length === 0 ? <p>{t('history.none')}</p> : null}
      {rows.length === 0 ? null : <JobTable rows={rows} />}
      <div className="row">
        {cursor === '' ? null : (
          <button type="button" className="button button-plain" onClick={() => setPage({ wanted, cursor: '' })}>
            {t('history.newest')}
          </button>
        )}
        {older === '' ? null : (
          <button type="button" className="button button-plain" onClick={() => setPage({ wanted, cursor: older })}>
            {t('history.older')}
          </button>
        )}
        <span className="muted small" role="status">
          {t('history.shown', { n: rows.length })}
        </span>
      </div>
    </Page>
  );
}

function queryOf({ k, state, by, since, until }: Filter, cursor: string) {
  const known = STATES.find((each) => each === state);
  const instant = (text: string): string | undefined =>
    Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString();
  const [from, to] = [instant(since), instant(until)];
  return {
    limit: PAGE,
    ...(k === '' ? {} : { k }),
    ...(known === undefined ? {} : { state: known }),
    ...(by === '' ? {} : { by }),
    ...(from === undefined ? {} : { since: from }),
    ...(to === undefined ? {} : { until: to }),
    ...(cursor === '' ? {} : { cursor }),
  };
}

function Filters({ filter }: { filter: Filter }) {
  const t = useText();
  const names = usePolled('names', (signal) => api.call('GET /names', { signal }));
  const known = names.data === undefined ? [] : rowsOf(names.data.data.data).map(({ k }) => k);
  const set = (part: Partial<Filter>) => replacePlace(hrefOf(['history'], { ...filter, ...part }));
  const isSet = FILTERS.some((name) => filter[name] !== '');
  return (
    <form className="card filters" onSubmit={(event) => event.preventDefault()}>
      <label className="field">
        <span>{t('history.name')}</span>
        <select value={filter.k} onChange={({ target }) => set({ k: target.value })}>
          <option value="">{t('history.all')}</option>
          {[...new Set([...known, filter.k])]
            .filter((k) => k !== '')
            .map((k) => (
              <option key={k}>{k}</option>
            ))}
        </select>
      </label>
      <label className="field">
        <span>{t('history.state')}</span>
        <select value={filter.state} onChange={({ target }) => set({ state: target.value })}>
          <option value="">{t('history.all')}</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {t(`state.${state}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>{t('history.by')}</span>
        <input value={filter.by} spellCheck={false} onChange={({ target }) => set({ by: target.value })} />
      </label>
      <label className="field">
        <span>{t('history.since')}</span>
        <input type="datetime-local" value={filter.since} onChange={({ target }) => set({ since: target.value })} />
      </label>
      <label className="field">
        <span>{t('history.until')}</span>
        <input type="datetime-local" value={filter.until} onChange={({ target }) => set({ until: target.value })} />
      </label>
      {isSet ? (
        <button type="button" className="button button-plain" onClick={() => replacePlace(hrefOf(['history']))}>
          {t('history.clear')}
        </button>
      ) : null}
    </form>
  );
}

function JobTable({ rows }: { rows: readonly JobRow[] }) {
  const t = useText();
  const columns = ['state', 'action', 'name', 'started', 'took', 'done', 'by', 'job'] as const;
  return (
    <table className="table card" aria-label={t('history.title')}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {t(`history.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const ended = textOf(row.ended_at);
          return (
            <tr key={row.id}>
              <td data-label={t('history.state')}>
                <StateMark state={row.state} />
              </td>
              <td data-label={t('history.action')}>
                <span>
                  {row.action}
                  {row.dry_run === '1' ? <span className="muted"> {t('history.dryrun')}</span> : null}
                </span>
              </td>
              <th scope="row" className="mono wrap" data-label={t('history.name')}>
                {row.k}
              </th>
              <td data-label={t('history.started')}>
                <MomentText at={row.created_at} />
              </td>
              <td data-label={t('history.took')}>
                {ended === undefined ? t('app.none') : duration(Date.parse(ended) - Date.parse(row.created_at), t)}
              </td>
              <td data-label={t('history.done')}>
                {row.progress.total === '' || row.dry_run === '1' ? t('app.none') : t('job.of', row.progress)}
              </td>
              <td className="mono" data-label={t('history.by')}>
                {row.by}
              </td>
              <td data-label={t('history.job')}>
                <a className="mono" href={hrefOf(['jobs', row.id])}>
                  …{row.id.slice(-8)}
                </a>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
