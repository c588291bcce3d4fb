import type { NameRow, TruthRow } from '@rexdeploy/shared/api/routes/names';
import { useState } from 'react';
import { api, rowsOf, textOf } from '../api/client.js';
import { age, ago, clock } from '../format.js';
import { useText } from '../i18n/text.js';
import { goTo, hrefOf } from '../router.js';
import { useSession, whyNot } from '../state/session.js';
import { useNow } from '../state/use-now.js';
import { usePolled } from '../state/use-polled.js';
import { ActionButton } from './action-button.js';
import { useQuestion } from './confirm-dialog.js';
import { Icon } from './icon.js';
import { InstanceTable } from './instance-table.js';
import { rollbackQuestion } from './questions.js';
import { StaleNote } from './stale-note.js';
import { StateMark } from './state-mark.js';

/** One name: who has it, what became of it last, and its instances. */
export function NameCard({ row, pollMs }: { row: NameRow; pollMs: number | undefined }) {
  const t = useText();
  const session = useSession();
  const now = useNow(10_000);
  const { k, desc, lock, last_deployment: newest } = row;
  const [question, ask] = useQuestion();
  const changed = `${k} ${JSON.stringify([lock, newest])}`;
  /** What was looked at counts until something happens to the name. */
  const [lookedAt, setLookedAt] = useState<string>();
  const told = usePolled(changed, (signal) => api.call('GET /names/:k', { params: { k }, signal }), pollMs);
  const last = lastOf(told.data === undefined ? [] : rowsOf(told.data.data.data));
  const isLooking = lookedAt === changed;
  const why = whyNot(session, t, k);
  const ageOf = (since: string | undefined): string =>
    since === undefined ? t('app.unknown') : age(now - Date.parse(since), t);

  return (
    <section className="card name" aria-labelledby={`name-${k}`}>
      <div className="name-head">
        <h2 id={`name-${k}`} className="mono">
          {k}
        </h2>
        {desc === '' ? null : <span className="muted">{desc}</span>}
        <span className="name-facts">
          {last === undefined ? null : (
            <a className="mark-link" href={hrefOf(['jobs', last.id])}>
              <StateMark state={last.state} /> {ago(now - Date.parse(last.at), t)}
            </a>
          )}
          {'owner' in lock ? (
            <a className="mark mark-held" href={hrefOf(['jobs', lock.owner])}>
              <Icon name="lock" />
              {t('names.held', {
                id: `…${lock.owner.slice(-6)}`,
                state: t(isState(lock.state) ? `state.${lock.state}` : 'app.unknown'),
                age: ageOf(textOf(lock.since)),
              })}
            </a>
          ) : null}
        </span>
        <span className="row name-actions">
          <ActionButton icon="eye" label={`${t('names.look')}: ${k}`} onClick={() => setLookedAt(changed)}>
            {t('names.look')}
          </ActionButton>
          <ActionButton
            icon="back"
            whyNot={why}
            label={`${t('names.rollback')}: ${k}`}
            onClick={() => ask(rollbackQuestion(t, k))}
          >
            {t('names.rollback')}
          </ActionButton>
          <ActionButton
            icon="up"
            kind="primary"
            whyNot={why}
            label={`${t('names.deploy')}: ${k}`}
            onClick={() => goTo(hrefOf(['deploy'], { k }))}
          >
            {t('names.deploy')}
          </ActionButton>
        </span>
      </div>
      {isLooking ? (
        <Seen k={k} changed={changed} />
      ) : (
        <>
          <StaleNote polled={told} />
          {told.data === undefined ? null : (
            <InstanceTable k={k} rows={rowsOf(told.data.data.data)} released={told.data.data.released} />
          )}
        </>
      )}
      {question}
    </section>
  );
}

/** What became of the name last; a dry run is not told by the instances, and does not count. */
function lastOf(rows: readonly TruthRow[]): { id: string; state: string; at: string } | undefined {
  return rows
    .flatMap((row) => {
      const [id, state, at] = [textOf(row.last_deployment), textOf(row.last_state), textOf(row.at)];
      return id === undefined || state === undefined || at === undefined ? [] : [{ id, state, at }];
    })
    .sort((one, other) => other.at.localeCompare(one.at))[0];
}

const STATES = ['queued', 'running', 'held', 'succeeded', 'failed', 'cancelled'] as const;
const isState = (text: unknown): text is (typeof STATES)[number] => STATES.some((state) => state === text);

/** The same instances as a worker sees them on hosts and balancer. */
function Seen({ k, changed }: { k: string; changed: string }) {
  const t = useText();
  const seen = usePolled(`seen ${changed}`, (signal) =>
    api.call('GET /names/:k', { params: { k }, query: { observe: '1' }, signal }),
  );
  return (
    <>
      <p className="small" role="status">
        {seen.data === undefined
          ? seen.error === undefined
            ? t('names.looking')
            : null
          : t('names.looked', { time: clock(Date.parse(seen.data.data.observed_at ?? '') || seen.atMs) })}
        {seen.data === undefined ? null : (
          <button type="button" className="button button-quiet" onClick={seen.reload}>
            {t('names.again')}
          </button>
        )}
      </p>
      <StaleNote polled={seen} />
      {seen.data === undefined ? null : (
        <InstanceTable k={k} rows={rowsOf(seen.data.data.data)} released={seen.data.data.released} />
      )}
    </>
  );
}
