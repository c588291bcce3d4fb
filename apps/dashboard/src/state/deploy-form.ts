import type { ActionParams } from '@rexdeploy/shared/api/actions';

/** What the deploy page asks for. */
export interface DeployForm {
  k: string;
  /** Instance keys; empty: all of the name. */
  only: string;
  kind: 'senv' | 'url' | 'upload';
  senv: string;
  url: string;
  sha256: string;
  pkg: string;
  full: '1' | '2';
  hold: boolean;
  onFailure: '' | 'rollback' | 'rollback_all' | 'halt';
}

export const emptyForm = (k: string): DeployForm => ({
  k,
  only: '',
  kind: 'senv',
  senv: '',
  url: '',
  sha256: '',
  pkg: '',
  full: '1',
  hold: false,
  onFailure: '',
});

type Params = ActionParams<'deploy'> & { action: 'deploy' };

/** What a plan is about: that of another name, source or way of laying it is another plan. */
export function planParams(form: DeployForm): Params {
  const { k, only, kind, full } = form;
  const source = {
    senv: { senv: form.senv },
    url: { url: form.url.trim(), ...(form.sha256.trim() === '' ? {} : { sha256: form.sha256.trim() }) },
    upload: { package: form.pkg },
  }[kind];
  return { action: 'deploy', k: only.trim() === '' ? k : only.trim(), ...source, full };
}

/** The deployment of exactly that plan. */
export const deployParams = (form: DeployForm, plan: string): Params => ({
  ...planParams(form),
  plan,
  ...(form.hold ? { hold: '1' as const } : {}),
  ...(form.onFailure === '' ? {} : { on_failure: form.onFailure }),
});

/** Is there all that a dry run needs? */
export function isComplete({ k, kind, senv, url, pkg }: DeployForm): boolean {
  if (k === '') return false;
  return { senv, url: url.trim(), upload: pkg }[kind] !== '';
}
