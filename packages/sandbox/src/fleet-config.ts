/** The config.yml of a fleet, in the shape docs/config.md describes. */
import { userInfo } from 'node:os';
import type { FleetHost } from './fleet-host.js';
import type { NamePlan } from './fleet-names.js';
import type { Haproxy } from './haproxy.js';
import type { FleetInstance } from './instance.js';
import type { Json, JsonObject } from './merge.js';
import type { Nginx } from './nginx.js';

export interface ConfigFacts {
  dataDir: string;
  redisUrl: string | undefined;
  plans: readonly NamePlan[];
  instances: readonly FleetInstance[];
  hosts: readonly FleetHost[];
  uat: FleetHost;
  /** Where each name lies on the uat host. */
  uatDirs: ReadonlyMap<string, { programDir: string; configDir: string }>;
  lb: FleetHost | undefined;
  jump: FleetHost | undefined;
  nginx: Nginx | undefined;
  haproxy: Haproxy | undefined;
}

export function fleetConfig(facts: ConfigFacts): JsonObject {
  return {
    env: { key: 'prod' },
    data_dir: facts.dataDir,
    redis: { prefix: 'rex', ...(facts.redisUrl === undefined ? {} : { url: facts.redisUrl }) },
    api: { host: '127.0.0.1', port: 0 },
    packages: { allow_hosts: ['127.0.0.1'] },
    environments: {
      prod: {
        desc: '生产环境',
        allow_senv: ['uat'],
        ssh: sshOf(facts.hosts[0], facts.jump),
        names: Object.fromEntries(facts.plans.map((plan) => [plan.name, prodName(plan, facts)])),
      },
      uat: {
        desc: '预发布环境',
        ssh: sshOf(facts.uat, facts.jump),
        names: Object.fromEntries(facts.plans.map((plan) => [plan.name, uatName(plan, facts)])),
      },
    },
  };
}

function prodName(plan: NamePlan, facts: ConfigFacts): JsonObject {
  const own = facts.instances.filter((instance) => instance.name === plan.name);
  return {
    rollout: plan.rollout,
    balancer: balancerOf(plan.name, facts),
    instances: Object.fromEntries(own.map((instance) => [instance.key, instanceOf(instance, facts.hosts)])),
  };
}

function balancerOf(name: string, { lb, nginx, haproxy }: ConfigFacts): JsonObject {
  if (lb === undefined) return { type: 'none' };
  const reached = { host: lb.address, ssh: { port: lb.sshPort } };
  if (haproxy !== undefined) {
    return { type: 'haproxy', ...reached, socket: haproxy.socket, backend: name, settle: '5s', timeout: '10s' };
  }
  if (nginx === undefined) return { type: 'none' };
  return { type: 'nginx', ...reached, upstream_file: nginx.upstreamFile(name), settle: '0s' };
}

/** Every sshd has a port of its own, and every app too, so both stand at the instance. */
function instanceOf(instance: FleetInstance, hosts: readonly FleetHost[]): JsonObject {
  const host = hosts.find((one) => one.address === instance.host);
  const places: JsonObject = {
    host: instance.host,
    ssh: { port: host?.sshPort ?? 22 },
    program_dir: instance.programDir,
    config_dir: instance.configDir,
  };
  if (instance.service === undefined) return places;
  const health: Json = {
    url: `http://{host}:${instance.port}/health`,
    status: 200,
    delay: '0s',
    interval: '50ms',
    attempts: 100,
  };
  return { ...places, service: instance.service, process: instance.process, health };
}

function uatName(plan: NamePlan, facts: ConfigFacts): JsonObject {
  const dirs = facts.uatDirs.get(plan.name);
  const key = plan.keys[0] ?? 'server1';
  return {
    instances: {
      [key]: {
        host: facts.uat.address,
        ssh: { port: facts.uat.sshPort },
        program_dir: dirs?.programDir ?? '',
        config_dir: dirs?.configDir ?? '',
      },
    },
  };
}

function sshOf(host: FleetHost | undefined, jump: FleetHost | undefined): JsonObject {
  if (host === undefined) return {};
  const { sudoUser, privateKey, knownHosts } = host;
  const user = userInfo().username;
  return {
    user: sudoUser?.name ?? user,
    private_key: privateKey,
    known_hosts: knownHosts,
    ...(sudoUser === undefined ? {} : { sudo: true }),
    ...(jump === undefined
      ? {}
      : {
          jump: {
            host: jump.address,
            port: jump.sshPort,
            user,
            private_key: jump.privateKey,
            known_hosts: jump.knownHosts,
          },
        }),
  };
}
