import type { RexError } from '@rexdeploy/shared/errors/rex-error';
import { useState } from 'react';
import { api, errorOf, rowsOf } from '../api/client.js';
import { useText } from '../i18n/text.js';
import { type Followed, useJournal } from '../journal/use-journal.js';
import { ActionButton } from '../parts/action-button.js';
import { useQuestion } from '../parts/confirm-dialog.js';
import { DeployOptions } from '../parts/deploy-options.js';
import { DeploySource } from '../parts/deploy-source.js';
import { Differences } from '../parts/differences.js';
import { ErrorNote } from '../parts/error-note.js';
import { FailureNote } from '../parts/failure-note.js';
import { Page } from '../parts/page.js';
import { StaleNote } from '../parts/stale-note.js';
import { goTo, hrefOf } from '../router.js';
import { type DeployForm, deployParams, emptyForm, isComplete, planParams } from '../state/deploy-form.js';
import { useSession, whyNot } from '../state/session.js';
import { usePolled } from '../state/use-polled.js';

/** A deployment, looked at before it is made: it is sent with the hash of the dry run that showed it. */
export function DeployPage({ first }: { first: string }) {
  const t = useText();
  const session = useSession();
  const names = usePolled('names', (signal) => api.call('GET /names', { signal }));
  const rows = names.data === undefined ? [] : rowsOf(names.data.data.data);
  const [form, setForm] = useState(() => emptyForm(first));
  const change = (part: Partial<DeployForm>) => setForm((before) => ({ ...before, ...part }));
  const row = rows.find(({ k }) => k === form.k);
  const sources = rowsOf(row?.sources ?? {});
  // One that is the only choice is no choice.
  const senv = form.senv === '' ? (sources[0] ?? '') : form.senv;
  const filled = { ...form, senv };
  const may = form.k === '' ? t('deploy.name.choose') : whyNot(session, t, form.k);

  return (
    <Page title={t('deploy.title')}>
      <StaleNote polled={names} />
      <div className="columns">
        <form className="card stack" onSubmit={(event) => event.preventDefault()}>
          <label className="field">
            <span>{t('deploy.name')}</span>
            <select value={form.k} onChange={({ target }) => setForm(emptyForm(target.value))}>
              <option value="">{t('deploy.name.choose')}</option>
              {rows.map(({ k, desc }) => (
                <option key={k} value={k}>
                  {desc === '' ? k : `${k} (${desc})`}
                </option>
              ))}
            </select>
          </label>
          {row === undefined ? null : (
            <>
              <DeploySource
                form={filled}
                change={change}
                sources={sources}
                hosts={rowsOf(names.data?.data.allow_hosts ?? {})}
              />
              <DeployOptions
                form={filled}
                change={change}
                instances={rowsOf(row.instances).map(({ instance }) => instance)}
              />
            </>
          )}
        </form>
        <div className="stack">
          {/* Another name begins anew. */}
          <Plan key={form.k} form={filled} may={may} />
        </div>
      </div>
    </Page>
  );
}

interface DryRun {
  id: string;
  /** The parameters it was made with. */
  about: string;
}

function Plan({ form, may }: { form: DeployForm; may: string | undefined }) {
  const t = useText();
  const [dryRun, setDryRun] = useState<DryRun>();
  const [error, setError] = useState<RexError>();
  const [sending, setSending] = useState(false);
  const [question, ask] = useQuestion();
  const followed = useJournal(dryRun?.id);
  const { state } = followed;
  const about = JSON.stringify(planParams(form));
  const isRunning =
    sending || (dryRun !== undefined && followed.connection !== 'ended' && followed.connection !== 'gone');
  const isStale = dryRun !== undefined && dryRun.about !== about;
  const plan = state?.state === 'succeeded' && !isStale ? state.planHash : undefined;

  const look = async (): Promise<void> => {
    setSending(true);
    setError(undefined);
    setDryRun(undefined);
    try {
      const { job } = await api.rex({ ...planParams(form), dry_run: '1' });
      setDryRun({ id: job.id, about });
    } catch (thrown) {
      setError(errorOf(thrown));
    }
    setSending(false);
  };

  const go = (hash: string): void => {
    const { k } = planParams(form);
    const batches = state?.batches.map(({ instances }) => instances.join(' + ')).join(' → ') ?? '';
    ask({
      title: t('confirm.deploy.title', { k }),
      text: t('confirm.deploy.text', { batches }),
      yes: t('confirm.deploy.yes'),
      onYes: async () => {
        const { job } = await api.rex(deployParams(form, hash));
        goTo(hrefOf(['jobs', job.id]));
      },
    });
  };

  const whyNoDryRun = may ?? (isComplete(form) ? (isRunning ? t('deploy.dryrun.busy') : undefined) : t('deploy.fill'));
  const whyNoDeploy =
    may ?? (plan === undefined ? t(isStale ? 'deploy.dryrun.stale' : 'deploy.dryrun.first') : undefined);
  return (
    <>
      <div className="row">
        <ActionButton
          icon="eye"
          kind={plan === undefined ? 'primary' : 'plain'}
          whyNot={whyNoDryRun}
          onClick={() => void look()}
        >
          {t(dryRun === undefined ? 'deploy.dryrun' : 'deploy.dryrun.again')}
        </ActionButton>
        <ActionButton icon="up" kind="primary" whyNot={whyNoDeploy} onClick={() => plan !== undefined && go(plan)}>
          {t('deploy.go', { k: form.k })}
        </ActionButton>
      </div>
      <p className="small" role="status" aria-busy={isRunning}>
        {isRunning ? t('deploy.dryrun.busy') : (whyNoDryRun ?? whyNoDeploy)}
      </p>
      {error === undefined ? null : <ErrorNote error={error} title={t('deploy.dryrun.failed')} />}
      {isStale ? null : <Found followed={followed} />}
      {question}
    </>
  );
}

function Found({ followed: { state } }: { followed: Followed }) {
  const t = useText();
  if (state === undefined) return null;
  return (
    <>
      <FailureNote state={state} />
      <Differences state={state} />
      <p className="small">
        <a href={hrefOf(['jobs', state.id])}>{t('deploy.dryrun.job')}</a>
      </p>
    </>
  );
}
