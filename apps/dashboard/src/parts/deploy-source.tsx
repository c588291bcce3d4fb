import { useText } from '../i18n/text.js';
import type { DeployForm } from '../state/deploy-form.js';
import { UploadBox } from './upload-box.js';

interface Props {
  form: DeployForm;
  change: (part: Partial<DeployForm>) => void;
  /** Environments that may be a source. */
  sources: readonly string[];
  /** Hosts that an address may name. */
  hosts: readonly string[];
}

const KINDS = ['senv', 'url', 'upload'] as const;

/** Where the release comes from: an environment, an address, or an upload. */
export function DeploySource({ form, change, sources, hosts }: Props) {
  const t = useText();
  return (
    <fieldset>
      <legend>{t('deploy.source')}</legend>
      <div className="choices">
        {KINDS.map((kind) => (
          <label key={kind} className="choice">
            <input type="radio" name="kind" checked={form.kind === kind} onChange={() => change({ kind })} />
            <span>{t(`deploy.source.${kind}`)}</span>
          </label>
        ))}
      </div>
      {form.kind === 'senv' ? <FromEnvironment form={form} change={change} sources={sources} /> : null}
      {form.kind === 'url' ? <FromAddress form={form} change={change} hosts={hosts} /> : null}
      {form.kind === 'upload' ? <UploadBox k={form.k} pkg={form.pkg} onPick={(pkg) => change({ pkg })} /> : null}
    </fieldset>
  );
}

function FromEnvironment({ form, change, sources }: Omit<Props, 'hosts'>) {
  const t = useText();
  if (sources.length === 0) return <p className="note note-warn">{t('deploy.senv.none', { k: form.k })}</p>;
  return (
    <label className="field">
      <span>{t('deploy.senv')}</span>
      <select value={form.senv} onChange={({ target }) => change({ senv: target.value })}>
        {sources.map((key) => (
          <option key={key}>{key}</option>
        ))}
      </select>
    </label>
  );
}

function FromAddress({ form, change, hosts }: Omit<Props, 'sources'>) {
  const t = useText();
  return (
    <>
      <label className="field">
        <span>{t('deploy.url')}</span>
        <input
          type="url"
          className="mono"
          value={form.url}
          spellCheck={false}
          aria-describedby="url-hint"
          onChange={({ target }) => change({ url: target.value })}
        />
        <span id="url-hint" className="muted small wrap">
          {hosts.length === 0 ? t('deploy.url.none') : t('deploy.url.hosts', { hosts: hosts.join(', ') })}
        </span>
      </label>
      <label className="field">
        <span>{t('deploy.sha256')}</span>
        <input
          className="mono"
          value={form.sha256}
          spellCheck={false}
          onChange={({ target }) => change({ sha256: target.value })}
        />
      </label>
    </>
  );
}
