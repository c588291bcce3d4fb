import type { Difference } from '@rexdeploy/shared/journal/events';
import type { DeploymentState } from '@rexdeploy/shared/journal/state';
import { bytes } from '../format.js';
import { useText } from '../i18n/text.js';

/** What a dry run found: how each instance would change, down to its files. */
export function Differences({ state }: { state: DeploymentState }) {
  const t = useText();
  // In the order of the roll-out, whichever was compared first.
  const rows = state.batches
    .flatMap(({ instances }) => instances)
    .flatMap((instance) => {
      const row = state.differences[instance];
      return row === undefined ? [] : [[instance, row] as const];
    });
  if (rows.length === 0) return null;
  const nothing = rows.every(([, row]) => isSame(row.program) && (row.config === undefined || isSame(row.config)));
  return (
    <section aria-labelledby="plan">
      <h2 id="plan">{t('deploy.plan')}</h2>
      <p>
        {t('deploy.plan.order', { batches: state.batches.map(({ instances }) => instances.join(' + ')).join(' → ') })}
      </p>
      {nothing ? <p className="note note-warn">{t('deploy.plan.same')}</p> : null}
      {rows.map(([instance, { program, config }]) => (
        <div key={instance} className="card diff">
          <h3 className="mono">{instance}</h3>
          <Part instance={instance} title={t('diff.program')} difference={program} />
          {config === undefined ? null : <Part instance={instance} title={t('diff.config')} difference={config} />}
        </div>
      ))}
      {state.planHash === undefined ? null : (
        <p className="small muted wrap">{t('deploy.plan.hash', { hash: state.planHash.slice(0, 16) })}</p>
      )}
    </section>
  );
}

const isSame = ({ added, changed, removed }: Difference): boolean => added + changed + removed === 0;

function Part({ instance, title, difference }: { instance: string; title: string; difference: Difference }) {
  const t = useText();
  const { added, changed, removed, unchanged, bytes: size, paths } = difference;
  const more = added + changed + removed - paths.length;
  return (
    <>
      <p className="row diff-figures">
        <span className="muted">{title}</span>
        <span className={added === 0 ? 'muted' : 'plus'}>+ {t('diff.added', { n: added })}</span>
        <span className={changed === 0 ? 'muted' : 'tilde'}>~ {t('diff.changed', { n: changed })}</span>
        <span className={removed === 0 ? 'muted' : 'minus'}>− {t('diff.removed', { n: removed })}</span>
        <span className="muted">{t('diff.unchanged', { n: unchanged })}</span>
        <span className="muted">{t('diff.bytes', { size: bytes(size) })}</span>
      </p>
      {paths.length === 0 ? null : (
        <details>
          <summary>{t('diff.files', { instance })}</summary>
          <ul className="plain paths mono small">
            {paths.map((path) => (
              <li key={path} className={`wrap ${SIGN_CLASS[path[0] ?? ''] ?? ''}`}>
                {path.slice(0, 1)} {path.slice(1)}
              </li>
            ))}
            {more > 0 ? <li className="muted">{t('diff.more', { n: more })}</li> : null}
          </ul>
        </details>
      )}
    </>
  );
}

const SIGN_CLASS: Readonly<Record<string, string>> = { '+': 'plus', '~': 'tilde', '-': 'minus' };
