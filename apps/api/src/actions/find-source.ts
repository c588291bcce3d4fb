import { isAllowedHost } from '@rexdeploy/shared/api/allowed-host';
import type { DeployParams } from '@rexdeploy/shared/api/deploy-params';
import type { Target } from '@rexdeploy/shared/config/resolved';
import { NotFoundError, ParameterError } from '@rexdeploy/shared/errors/request-errors';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import type { PackageRecord } from '@rexdeploy/store/packages';
import { quote } from '../params/received.js';
import type { ApiParts } from '../parts.js';

type Source = DeployRequest['source'];
type SourceParams = Pick<DeployParams, 'senv' | 'url' | 'package' | 'sha256' | 'full'>;
type Parts = Pick<ApiParts, 'config' | 'store'>;

/**
 * Where a deployment takes its package from. All that can be known without fetching it is checked here.
 * @throws ParameterError or NotFoundError naming the parameter, its value and the rule
 */
export async function findSource(parts: Parts, params: SourceParams, target: Target): Promise<Source> {
  const given = (['senv', 'url', 'package'] as const).filter((name) => params[name] !== undefined);
  if (given.length > 1) {
    const shown = given.map((name) => `${name}=${quote(params[name] ?? '')}`).join(' and ');
    throw new ParameterError({ what: `${shown} are given: a package comes from one of senv, url and package` });
  }
  if (params.sha256 !== undefined && params.url === undefined) {
    throw new ParameterError({ what: `sha256=${quote(params.sha256)} goes with url only, and no url is given` });
  }
  if (params.senv !== undefined) return fromEnvironment(parts, params.senv, target);
  if (params.url !== undefined) return fromAddress(parts, params.url, params.sha256);
  if (params.package !== undefined) return fromPackage(parts, params.package, target);
  return fromNewestUpload(parts, params, target);
}

function fromEnvironment({ config }: Parts, senv: string, target: Target): Source {
  const { own, environments } = config;
  const allowed = own.allowSenv.join(', ') || 'none';
  if (senv === own.key) {
    throw new ParameterError({
      what: `senv=${quote(senv)} is the environment that is deployed to; allowed: ${allowed}`,
    });
  }
  const environment = environments.get(senv);
  if (environment === undefined) {
    throw new NotFoundError({ what: `senv=${quote(senv)}: there is no such environment; allowed: ${allowed}` });
  }
  if (!own.allowSenv.includes(senv)) {
    throw new ParameterError({ what: `senv=${quote(senv)} is not in allow_senv of ${own.key}; allowed: ${allowed}` });
  }
  if (!environment.names.has(target.name.k)) {
    throw new NotFoundError({ what: `senv=${quote(senv)}: that environment has no name "${target.name.k}"` });
  }
  return { kind: 'senv', environment: senv };
}

function fromAddress({ config }: Parts, address: string, sha256: string | undefined): Source {
  // The parser of addresses would drop line breaks and tabs without a word.
  const url = /[\s\p{Cc}]/u.test(address) || !URL.canParse(address) ? undefined : new URL(address);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ParameterError({
      what: `url=${quote(address)}: expected an address that begins with http:// or https://`,
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ParameterError({
      what: `url of host ${url.host}: expected no user name and password in it, because jobs are stored and shown`,
    });
  }
  if (!isAllowedHost(url.hostname, config.packages.allowHosts)) {
    const allowed = config.packages.allowHosts.join(', ') || 'none';
    throw new ParameterError({
      what: `url=${quote(address)}: the host ${url.hostname} is not in packages.allow_hosts; allowed: ${allowed}`,
    });
  }
  return { kind: 'url', url: url.href, sha256: sha256?.toLowerCase() };
}

async function fromPackage({ store }: Parts, id: string, target: Target): Promise<Source> {
  const record = await store.packages.get(id);
  const { k } = target.name;
  if (record === undefined) {
    throw new NotFoundError({
      what: `package=${quote(id)}: there is no such package`,
      whatToDo: `see GET /packages?k=${k}`,
    });
  }
  if (record.k !== k) {
    throw new ParameterError({ what: `package=${quote(id)} was uploaded for "${record.k}", not for "${k}"` });
  }
  if (record.kind === 'config' && !isFor(record, target.batches.flat())) {
    throw new ParameterError({
      what: `package=${quote(id)} is the configuration of ${record.instance}: expected k=${record.instance}`,
    });
  }
  return { kind: 'package', package: id };
}

/** Rolling other instances along with one instance's configuration would restart them for nothing. */
const isFor = (record: PackageRecord, instances: readonly string[]): boolean =>
  instances.length === 1 && instances[0] === record.instance;

async function fromNewestUpload({ store }: Parts, params: SourceParams, target: Target): Promise<Source> {
  const { k } = target.name;
  const uploads = await store.packages.list(k);
  const instances = target.batches.flat();
  const newest =
    uploads.find((record) => record.kind === 'program') ??
    uploads.find((record) => record.instance !== undefined && instances.includes(record.instance));
  if (newest !== undefined) return { kind: 'package', package: newest.id };
  const full = params.full === undefined ? '' : `full=${params.full}: `;
  throw new ParameterError({
    what: `${full}nothing to deploy: neither senv, url nor package is given, and nothing was uploaded for "${k}"`,
    whatToDo: 'give one of them, or upload a package with POST /packages',
  });
}
