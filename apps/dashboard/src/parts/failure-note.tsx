import { standing } from '@rexdeploy/shared/journal/reduce';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { useText } from '../i18n/text.js';
import { failureOf } from '../journal/failure.js';
import { Icon } from './icon.js';

/** Why a deployment failed: what, where, what to do; and what is left of it. */
export function FailureNote({ state }: { state: DeploymentState }) {
  const t = useText();
  const failure = failureOf(state);
  if (failure === undefined) return null;
  const { what, where, whatToDo, code, whole } = failure;
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
          <dd className="wrap">{what}</dd>
        </div>
        {where === undefined ? null : (
          <div>
            <dt>{t('job.where')}</dt>
            <dd className="wrap mono">{where}</dd>
          </div>
        )}
        <div>
          <dt>{t('job.todo')}</dt>
          <dd className="wrap">{whatToDo ?? t(isKnown(code) ? `todo.${code}` : 'job.todo.none')}</dd>
        </div>
      </dl>
      {whole === undefined || whole === what ? null : (
        <details>
          <summary>{t('job.whole')}</summary>
          <p className="wrap">{whole}</p>
        </details>
      )}
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

/** Causes that have a sentence of what to do, as docs/errors.md has it. */
const KNOWN = [
  'package',
  'connection',
  'auth',
  'command',
  'transfer',
  'balancer',
  'step',
  'host',
  'health',
  'cancelled',
  'plan_changed',
] as const;
const isKnown = (code: string): code is (typeof KNOWN)[number] => KNOWN.some((known) => known === code);
