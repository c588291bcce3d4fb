import type { InstancePlan, NamePlan, Plan } from '../config/plan.js';

/** The resolved plan as a person reads it. */
export function renderPlan(plan: Plan): string {
  const desc = plan.desc === '' ? '' : ` (${plan.desc})`;
  return [
    `${plan.file}: ok`,
    `environment ${plan.environment}${desc}, time zone ${plan.timezone}`,
    `data in ${plan.data_dir}, Redis ${plan.redis}, API ${plan.api}`,
    ...(plan.names.length === 0 ? ['', 'no names'] : plan.names.flatMap(renderName)),
  ].join('\n');
}

function renderName(name: NamePlan): string[] {
  const order = name.batches.map((batch) => batch.join(' + ')).join(' → ');
  const sources = name.sources.length === 0 ? 'none' : name.sources.join(', ');
  return [
    '',
    `${name.k}${name.desc === '' ? '' : ` (${name.desc})`}: ${order}`,
    `  senv may be: ${sources}; keeps ${name.keep_releases} releases; ${name.retries} retries`,
    ...name.instances.flatMap(renderInstance),
  ];
}

function renderInstance(instance: InstancePlan): string[] {
  const rows: [string, string | null][] = [
    ['log-in', `${instance.login}; known hosts ${instance.known_hosts}`],
    ['program', instance.program_dir],
    ['config', instance.config_dir],
    ['service', instance.service],
    ['process', instance.process],
    ['balancer', instance.balancer],
    ['health', instance.health],
  ];
  return [
    `  ${instance.key}  ${instance.user}@${instance.host}:${instance.port}`,
    ...rows.map(([label, value]) => `    ${label.padEnd(9)} ${value ?? '-'}`),
  ];
}
