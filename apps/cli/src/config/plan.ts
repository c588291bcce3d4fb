import { homedir } from 'node:os';
import type { HealthSection } from '@rexdeploy/shared/config/health';
import type { ServiceSection } from '@rexdeploy/shared/config/name';
import type {
  Config,
  ReachedHost,
  ResolvedBalancer,
  ResolvedInstance,
  ResolvedName,
  ResolvedSsh,
} from '@rexdeploy/shared/config/resolved';

/** What the config makes of each name of the own environment; holds no secret. */
export interface Plan {
  file: string;
  environment: string;
  desc: string;
  timezone: string;
  data_dir: string;
  redis: string;
  api: string;
  names: NamePlan[];
}

export interface NamePlan {
  k: string;
  desc: string;
  batches: string[][];
  keep_releases: number;
  retries: number;
  /** Environments that `senv` may name for it. */
  sources: string[];
  instances: InstancePlan[];
}

export interface InstancePlan {
  key: string;
  host: string;
  port: number;
  user: string;
  login: string;
  known_hosts: string;
  program_dir: string;
  config_dir: string | null;
  service: string | null;
  process: string | null;
  balancer: string;
  health: string | null;
}

export function planOf(config: Config): Plan {
  return {
    file: config.file,
    environment: config.own.key,
    desc: config.own.desc,
    timezone: config.timezone,
    data_dir: config.dataDir,
    redis: config.redis.url === '' ? 'embedded' : withoutPassword(config.redis.url),
    api: `${config.api.host}:${config.api.port}`,
    names: [...config.own.names.values()].map((name) => planOfName(config, name)),
  };
}

function planOfName(config: Config, name: ResolvedName): NamePlan {
  return {
    k: name.k,
    desc: name.desc,
    batches: name.batches,
    keep_releases: name.keepReleases,
    retries: name.retries,
    sources: config.own.allowSenv.filter((key) => config.environments.get(key)?.names.has(name.k)),
    instances: name.batches
      .flat()
      .flatMap((key) => name.instances.get(key) ?? [])
      .map(planOfInstance),
  };
}

function planOfInstance(instance: ResolvedInstance): InstancePlan {
  const { ssh, health } = instance;
  return {
    key: instance.key,
    host: instance.host,
    port: ssh.port,
    user: ssh.user,
    login: login(ssh),
    known_hosts: short(ssh.knownHosts),
    program_dir: instance.programDir,
    config_dir:
      instance.configDir ?? (instance.configInside && `${instance.programDir}/${instance.configInside}`) ?? null,
    service: instance.service === undefined ? null : service(instance.service),
    process: instance.process ?? null,
    balancer: balancer(instance.balancer),
    health: health === undefined ? null : healthCheck(health, instance),
  };
}

/** The ways to log in and what lies between, by name only. */
function login(ssh: ResolvedSsh): string {
  const ways = [
    ssh.privateKey === undefined ? [] : `key ${short(ssh.privateKey)}`,
    ssh.agent === undefined ? [] : 'agent',
    ssh.password === undefined ? [] : 'password',
    ssh.sudo === true ? 'sudo' : [],
    (ssh.jump ?? []).map((hop) => `through ${hop.user}@${hop.host}:${hop.port}`),
  ];
  return ways.flat().join(', ');
}

const service = (section: ServiceSection): string =>
  typeof section === 'string' ? section : `${section.start} | ${section.stop}`;

function balancer(section: ResolvedBalancer): string {
  switch (section.type) {
    case 'nginx':
      return `nginx ${reached(section)} ${section.upstream_file}`;
    case 'haproxy': {
      const { reach, backend, server } = section;
      const place = 'address' in reach ? reach.address : `${reached(reach)} ${reach.socket}`;
      return `haproxy ${place} ${backend}${server === undefined ? '' : `/${server}`}`;
    }
    case 'http':
      // Without log-in and query, which may hold a secret.
      return `http ${URL.canParse(section.look.url) ? new URL(section.look.url).host : ''}`.trimEnd();
    case 'command':
      return `command on ${section.reach === undefined ? "the worker's machine" : reached(section.reach)}`;
    case 'none':
      return 'none';
  }
}

const reached = ({ host, login: { user, port } }: ReachedHost): string => `${user}@${host}:${port}`;

function healthCheck(health: HealthSection, { host, key }: ResolvedInstance): string {
  const { kind, url, command, status, contains } = health;
  const address = url.replaceAll('{host}', host).replaceAll('{instance}', key);
  if (kind === 'command') return `"${command}" on the host ends with 0`;
  if (kind === 'tcp') return `${address} takes connections`;
  return `${address} answers ${status}${contains === '' ? '' : ` with "${contains}"`}`;
}

function withoutPassword(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

const short = (path: string): string => (path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path);
