import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { useText } from '../i18n/text.js';
import { Icon } from './icon.js';

/** What `check` looked at. */
export function CheckList({ state: { checks } }: { state: DeploymentState }) {
  const t = useText();
  const instances = Object.entries(checks);
  if (instances.length === 0) return null;
  return (
    <section aria-labelledby="checks">
      <h2 id="checks">{t('job.checks')}</h2>
      {instances.map(([instance, findings]) => (
        <div key={instance} className="card">
          <h3 className="mono">{instance}</h3>
          <ul className="plain">
            {findings.map(({ check, ok, what }) => (
              <li key={check} className="wrap">
                <span className={`mark ${ok ? 'mark-succeeded' : 'mark-failed'}`}>
                  <Icon name={ok ? 'check' : 'cross'} />
                  {check}
                </span>{' '}
                {what}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}
