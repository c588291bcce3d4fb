import { standing } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { useText } from '../i18n/text.js';
import { Icon } from './icon.js';

/** Why a deployment failed: what, where, what to do; and what is left of it. */
export function FailureNote({ state }: { state: DeploymentState }) {
  const t = useText();
  const { error } = state;
  if (error === undefined || (state.state !== 'failed' && state.state !== 'cancelled')) return null;
  const left = Object.values(state.instances).filter((instance) => instance.left !== undefined);
  const back = left.some((instance) => instance.left?.kept !== true)
    ? 'failed'
    : Object.values(state.instances).some(({ steps }) => steps.some(({ status }) => status === 'undone'))
      ? 'done'
      : 'none';
  return (
    <section className="failure" role="alert" aria-labelledby="failure">
      <h2 id="failure">
        <Icon name={state.state === 'failed' ? 'cross' : 'stop'} />
        {t(state.state === 'failed' ? 'job.failed' : 'job.cancelled')}
      </h2>
      <dl>
        <div>
          <dt>{t('job.what')}</dt>
          <dd className="wrap">{error.what}</dd>
        </div>
        {error.where === undefined ? null : (
          <div>
            <dt>{t('job.where')}</dt>
            <dd className="wrap mono">{error.where}</dd>
          </div>
        )}
        <div>
          <dt>{t('job.todo')}</dt>
          <dd className="wrap">{error.whatToDo ?? t('job.todo.none')}</dd>
        </div>
      </dl>
      <p className="failure-back">
        <Icon name={back === 'failed' ? 'warn' : 'check'} /> {t(`job.back.${back}`)}
      </p>
      {left.length === 0 ? null : (
        <ul className="plain">
          {left.map(({ instance, left: how }) => (
            <li key={instance} className="wrap">
              <b className="mono">{instance}</b> {how === undefined ? '' : `${how.why}${standing(how)}`}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
