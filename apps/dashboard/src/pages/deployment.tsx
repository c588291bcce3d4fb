import { whyWaiting } from '@rexdeploy/shared/journal/reduce';
import { type DeploymentState, isTerminal } from '@rexdeploy/shared/journal/state';
import type { ReactNode } from 'react';
import { bytes, clock, duration } from '../format.js';
import { useText } from '../i18n/text.js';
import { type Followed, useJournal } from '../journal/use-journal.js';
import { AnswerBox } from '../parts/answer-box.js';
import { CheckList } from '../parts/check-list.js';
import { Differences } from '../parts/differences.js';
import { FailureNote } from '../parts/failure-note.js';
import { JobActions } from '../parts/job-actions.js';
import { Lanes } from '../parts/lanes.js';
import { LogBox } from '../parts/log-box.js';
import { MomentText } from '../parts/moment-text.js';
import { Page } from '../parts/page.js';
import { StateMark } from '../parts/state-mark.js';
import { hrefOf } from '../router.js';
import { useNow } from '../state/use-now.js';

/** One deployment, live. All of it is folded from the journal, as it comes. */
export function DeploymentPage({ id }: { id: string }) {
  const t = useText();
  const followed = useJournal(id);
  const { state, connection } = followed;
  if (connection === 'gone') {
    return (
      <Page title={id}>
        <p role="alert">{t('job.missing')}</p>
        <a href={hrefOf(['history'])}>{t('nav.history')}</a>
      </Page>
    );
  }
  if (state === undefined) {
    return (
      <Page title={id}>
        <p aria-busy="true">{t(connection === 'lost' ? 'job.lost' : 'app.loading')}</p>
      </Page>
    );
  }
  return <Shown followed={followed} state={state} />;
}

function Shown({ followed, state }: { followed: Followed; state: DeploymentState }) {
  const t = useText();
  const { request } = state;
  const title = t('job.title', { action: actionOf(state), k: request.k });
  const hasLanes = Object.keys(state.instances).length > 0 || (!request.dryRun && request.action !== 'check');
  return (
    <Page title={title} aside={<JobActions state={state} />}>
      <Facts state={state} followed={followed} />
      <Progress state={state} />
      <FailureNote state={state} />
      <Notes state={state} followed={followed} />
      <CheckList state={state} />
      <Differences state={state} />
      {hasLanes && !isLook(state) ? <Lanes state={state} rateOf={followed.rateOf} /> : null}
      <LogBox lines={state.log} />
      <AnswerBox answer={followed.answer} />
    </Page>
  );
}

const isLook = ({ request }: DeploymentState): boolean =>
  request.dryRun || ['check', 'observe'].includes(request.action);

const actionOf = ({ request }: DeploymentState): string =>
  request.dryRun ? `${request.action} dry_run` : request.action;

function Facts({ state, followed }: { state: DeploymentState; followed: Followed }) {
  const t = useText();
  const ended = isTerminal(state.state);
  const now = useNow(200, !ended);
  const { request } = state;
  const done = Object.values(state.instances).filter((instance) => instance.unchanged || instance.record !== undefined);
  const facts: [string, ReactNode][] = [
    [t(ended ? 'job.took' : 'job.running'), duration((ended ? state.lastMs : now) - state.acceptedMs, t)],
    [t('job.progress'), t('job.of', { done: done.length, total: request.batches.flat().length })],
    [t('job.started'), <MomentText key="at" at={new Date(state.acceptedMs).toISOString()} />],
  ];
  if (state.package !== undefined) {
    const { files, size, origin } = state.package;
    facts.push([t('job.package'), t('job.package.text', { files, size: bytes(size), origin })]);
  }
  const origin = [
    t('job.by', { by: request.by }),
    sourceOf(state, t),
    request.full === '2' ? t('job.full.2') : '',
    state.worker === undefined ? '' : t('job.worker', { worker: state.worker }),
  ];
  return (
    <div className="card facts">
      <div className="row">
        <span className="big">
          <StateMark state={state.state} />
        </span>
        <span className="muted mono small wrap">{state.id}</span>
        <span className="muted small">{origin.filter((text) => text !== '').join(' · ')}</span>
        {ended ? null : (
          <span className={`live live-${followed.connection}`}>
            {t(followed.connection === 'lost' ? 'job.lost' : 'job.live')}
          </span>
        )}
      </div>
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function sourceOf({ request: { source } }: DeploymentState, t: ReturnType<typeof useText>): string {
  switch (source.kind) {
    case 'senv':
      return t('job.from', { source: t('job.source.senv', { what: source.environment }) });
    case 'url':
      return t('job.from', { source: t('job.source.url', { what: source.url }) });
    case 'package':
      return t('job.from', { source: t('job.source.package', { what: source.package }) });
    case 'release':
      return t('job.from', { source: t('job.source.release', { what: source.to }) });
    case 'none':
      return '';
  }
}

/** The same for those who listen; it changes from step to step and not with every byte. */
function Progress({ state }: { state: DeploymentState }) {
  const t = useText();
  const done = Object.values(state.instances).filter((instance) => instance.record !== undefined).length;
  return (
    <p className="hidden" aria-live="polite">
      {t('job.announce', {
        k: state.request.k,
        state: t(`state.${state.state}`),
        done,
        total: state.request.batches.flat().length,
        instance: isTerminal(state.state) ? '' : (state.current?.instance ?? ''),
        step: isTerminal(state.state) ? '' : (state.current?.step ?? ''),
      })}
    </p>
  );
}

function Notes({ state, followed }: { state: DeploymentState; followed: Followed }) {
  const t = useText();
  const { asked, waiting } = state;
  const notes: string[] = [];
  if (followed.connection === 'lost') notes.push(t('job.stale', { time: clock(followed.heardMs) }));
  if (waiting !== undefined) notes.push(whyWaiting(waiting));
  if (asked !== undefined && !isTerminal(state.state)) notes.push(t(`job.asked.${asked.control}`, { by: asked.by }));
  if (state.state === 'held') notes.push(t('job.heldnow', { n: (state.heldAfter.at(-1) ?? 0) + 1 }));
  return notes.map((note) => (
    <p key={note} className="note note-warn" role="status">
      {note}
      {waiting !== undefined && note === whyWaiting(waiting) ? (
        <>
          {' '}
          <a href={hrefOf(['jobs', waiting.for])}>{waiting.for}</a>
        </>
      ) : null}
    </p>
  ));
}
