import { useText } from '../i18n/text.js';
import type { DeployForm } from '../state/deploy-form.js';

const FAILURES = ['', 'rollback', 'rollback_all', 'halt'] as const;

interface Props {
  form: DeployForm;
  change: (part: Partial<DeployForm>) => void;
  instances: readonly string[];
}

/** How it is laid, which instances, and what a failure leads to. */
export function DeployOptions({ form, change, instances }: Props) {
  const t = useText();
  return (
    <fieldset>
      <legend>{t('deploy.options')}</legend>
      <label className="field">
        <span>{t('deploy.full')}</span>
        <select value={form.full} onChange={({ target }) => change({ full: target.value === '2' ? '2' : '1' })}>
          <option value="1">{t('deploy.full.1')}</option>
          <option value="2">{t('deploy.full.2')}</option>
        </select>
      </label>
      <label className="field">
        <span>{t('deploy.onfailure')}</span>
        <select
          value={form.onFailure}
          onChange={({ target }) => change({ onFailure: FAILURES.find((each) => each === target.value) ?? '' })}
        >
          {FAILURES.map((each) => (
            <option key={each} value={each}>
              {t(`deploy.onfailure.${each === '' ? 'default' : each}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input type="checkbox" checked={form.hold} onChange={({ target }) => change({ hold: target.checked })} />
        <span>{t('deploy.hold')}</span>
      </label>
      {instances.length < 2 ? null : (
        <label className="field">
          <span>{t('deploy.only')}</span>
          <input
            className="mono"
            value={form.only}
            spellCheck={false}
            aria-describedby="only-hint"
            onChange={({ target }) => change({ only: target.value })}
          />
          <span id="only-hint" className="muted small wrap">
            {t('deploy.only.hint', { instances: instances.join(' ') })}
          </span>
        </label>
      )}
    </fieldset>
  );
}
