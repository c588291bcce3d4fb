import { healthOf } from './health.js';
import { type Inventory, type NamedInventory, path, stripped } from './instances.js';
import { type Notes, tellable } from './notes.js';
import type { OriginalConfig } from './original-config.js';
import { comment, type Entry, type Section, variable, writeYaml } from './yaml.js';

/** The config.yml that an inventory of the original becomes; all that has no place in it is noted. */
export function writeConfig(names: readonly NamedInventory[], config: OriginalConfig, notes: Notes): string {
  const sections = names.flatMap((name) => nameEntry(name, config, notes));
  const document: Section = [
    { comment: ['Made by `rex import`. Look through the comments, then run `rex config check`.'] },
    { key: 'env', value: [{ key: 'key', value: config.environment }] },
    {
      key: 'environments',
      value: [
        { key: config.environment, value: [...environmentEntries(config, notes), { key: 'names', value: sections }] },
      ],
    },
  ];
  const text = writeYaml(document);
  const lost = notes.lines.map((line) => `#   ${line}\n`).join('');
  return lost === '' ? text : `${text}\n# Not carried over, or not as it was:\n${lost}`;
}

function environmentEntries(config: OriginalConfig, notes: Notes): Entry[] {
  const { desc, allowEnv } = config;
  if (allowEnv.length > 0)
    notes.add(`config allow_env: write these environments too, then \`allow_senv\`: ${allowEnv.join(', ')}`);
  return [
    ...(desc === undefined ? [] : [{ key: 'desc', value: desc }]),
    ...(allowEnv.length === 0 ? [] : [comment(`allow_senv: [${allowEnv.join(', ')}]`)]),
    sshEntry(config, notes),
  ];
}

function sshEntry({ user, privateKey, password, sudo }: OriginalConfig, notes: Notes): Entry {
  const known = privateKey !== undefined || password;
  if (!known) notes.add('ssh: user and key are to be filled in (no --config named the original config.yml)');
  const value: Entry[] = [
    { key: 'user', value: user ?? 'deploy' },
    ...(password
      ? [{ key: 'password', value: variable('REX_SSH_PASSWORD') }]
      : [{ key: 'private_key', value: privateKey ?? 'keys/deploy' }]),
    {
      comment: ['`rex hosts trust HOST` writes the keys of the hosts there'],
      key: 'known_hosts',
      value: 'keys/known_hosts',
    },
    ...(sudo ? [{ key: 'sudo', value: true }] : []),
  ];
  return { ...(known ? {} : { comment: ['To be filled in.'] }), key: 'ssh', value };
}

function nameEntry(named: NamedInventory, config: OriginalConfig, notes: Notes): Entry[] {
  const { name, instances, rollout, leftOut } = named;
  if (instances.length === 0) {
    notes.add(`${name}: no instance of it is deployed to; left out`);
    return [comment(`${name}: no instance of it is deployed to`, ...leftOut.map((line) => `  ${line}`))];
  }
  const healths = new Map(instances.map((instance) => [instance.key, healthOf(instance, config, notes)]));
  const common = commonOf([...healths.values()]);
  const value: Entry[] = [
    ...(rollout === undefined ? [] : [{ key: 'rollout', value: rollout }]),
    balancerComment(named, config, notes),
    ...(config.parallel === undefined
      ? []
      : [{ key: 'transfer', value: [{ key: 'parallel', value: Math.min(64, Math.max(1, config.parallel)) }] }]),
    ...(common === undefined ? [] : [{ key: 'health', value: common }]),
    {
      key: 'instances',
      value: [
        ...instances.map((instance) =>
          instanceEntry(instance, common === undefined ? healths.get(instance.key) : undefined, notes),
        ),
        ...leftOut.map((line) => comment(`left out: ${line}`)),
      ],
    },
  ];
  return [{ key: name, value }];
}

/** What all instances have in common stands once, at the name. */
function commonOf(healths: readonly (Section | undefined)[]): Section | undefined {
  const [first] = healths;
  if (first === undefined || !healths.every((each) => JSON.stringify(each) === JSON.stringify(first))) return undefined;
  return first;
}

function balancerComment({ name, instances }: NamedInventory, config: OriginalConfig, notes: Notes): Entry {
  const ids = [...new Set(instances.flatMap(({ row }) => stripped(row.loadBalancerId).split(',')))].filter(
    (id) => id !== '',
  );
  if (ids.length === 0) return comment('No balancer: nothing is taken out of rotation.');
  notes.add(
    `${name}: balancer is to be filled in (loadBalancerId ${ids.join(', ')}); until then nothing is taken out of rotation`,
  );
  const settle = config.settleSeconds === undefined ? '' : `, settle: ${config.settleSeconds}s`;
  return comment(
    `To be filled in; the original's loadBalancerId: ${ids.join(', ')}. For example:`,
    `balancer: { type: nginx, host: lb1, upstream_file: /etc/nginx/conf.d/${name}.conf${settle} }`,
  );
}

function instanceEntry(instance: Inventory, health: Section | undefined, notes: Notes): Entry {
  const { key, row, host, programDir } = instance;
  const value: Entry[] = [
    { key: 'host', value: host },
    { key: 'program_dir', value: programDir },
    ...configEntries(instance, notes),
    ...serviceEntries(instance, notes),
    ...logEntries(instance),
    ...(health === undefined ? [] : [{ key: 'health', value: health }]),
  ];
  const described = ['server_name', 'loadBalancerId', 'pro_port', 'note'].flatMap((column) => {
    const text = (row[column] ?? '').trim();
    return text === '' ? [] : [`${column}: ${tellable(column, text)}`];
  });
  return { ...(described.length === 0 ? {} : { comment: [described.join(', ')] }), key, value };
}

function configEntries({ key, row, programDir }: Inventory, notes: Notes): Entry[] {
  const dir = path(row.config_dir);
  if (dir === '') return [];
  if (stripped(row.is_deloy_dir) !== '1') return [{ key: 'config_dir', value: dir }];
  if (dir.startsWith(`${programDir}/`))
    return [
      { key: 'config_dir', value: dir },
      { key: 'is_deloy_dir', value: 1 },
    ];
  notes.add(`${key}: is_deloy_dir is 1 and config_dir ${dir} lies outside of pro_dir: its configuration is left out`);
  return [comment(`config_dir ${dir} lies outside of pro_dir, with is_deloy_dir 1`)];
}

function serviceEntries({ key, row }: Inventory, notes: Notes): Entry[] {
  const [script, pattern] = [stripped(row.pro_init), (row.pro_key ?? '').trim()];
  if (stripped(row.is_restart_status) === '1') {
    const told = `pro_init ${script || 'none'}, pro_key ${pattern || 'none'}`;
    notes.add(`${key}: is_restart_status is 1: only links are switched, nothing is restarted (${told})`);
    return [comment(`is_restart_status 1: nothing to restart; ${told}`)];
  }
  if (script === '') notes.add(`${key}: pro_init is empty: nothing is restarted`);
  const isPath = /^\/[^\0\n\r]+[^/]$/.test(script) && !/\/(\.{0,2})\//.test(script);
  const service: Entry[] = isPath
    ? [{ key: 'service', value: script }]
    : script === ''
      ? []
      : [{ key: 'service', value: ['start', 'stop'].map((verb) => ({ key: verb, value: `${script} ${verb}` })) }];
  return [...service, ...(pattern === '' ? [] : [{ key: 'process', value: pattern }])];
}

function logEntries({ row }: Inventory): Entry[] {
  const [dir, file] = [path(row.log_dir), (row.logfile ?? '').trim()];
  const log = file.startsWith('/') ? file : dir === '' ? '' : `${dir}/${file || '*.log'}`;
  return log.startsWith('/') ? [{ key: 'log', value: log }] : [];
}
