import { IDENTIFIER } from '@rexdeploy/shared/config/primitives';
import { type Notes, tellable } from './notes.js';
import { BATCHES, INVENTORY } from './read-json.js';
import type { Row, Tables } from './tables.js';

/** One row of the inventory that can be deployed to. */
export interface Inventory {
  key: string;
  name: string;
  host: string;
  programDir: string;
  /** The row, for what has no field of its own here. */
  row: Row;
}

/** A name with its instances in order, and its batches where the original had any. */
export interface NamedInventory {
  name: string;
  instances: Inventory[];
  rollout?: string[] | undefined;
  /** What was left out, for people. */
  leftOut: string[];
}

/** Columns that are carried over, or say how others are meant. */
const CARRIED = new Set([
  'app_key',
  'local_name',
  'network_ip',
  'pro_dir',
  'config_dir',
  'is_deloy_dir',
  'auto_deloy',
  'is_restart_status',
  'pro_init',
  'pro_key',
  'url',
  'header',
  'params',
  'require',
  'requirecode',
  'log_dir',
  'logfile',
]);

/** Why other columns are not. */
const REASONS: Readonly<Record<string, string>> = {
  id: 'number of the row',
  created_time: 'time of the row',
  updated_time: 'time of the row',
  server_name: 'only shown; write it into `desc` of the name',
  loadBalancerId: 'fill in `balancer` of the name',
  weight: 'weights are given back as they are found',
  external_ip: 'hosts are reached by network_ip',
  pro_port: 'the port of the health check counts; set `balancer_port` where a host has several',
  backupdir_same_level: 'former releases lie beside program_dir',
  deploydir_same_level: 'releases lie beside program_dir',
  configure_file_status: 'a configuration is kept as a whole; upload another with POST /packages',
  configure_file_list: 'a configuration is kept as a whole; upload another with POST /packages',
  checkdir: 'archives are not compared with a list of entries',
  predir: 'archives are laid over the root of the program',
  local_pro_cmd: 'nothing is run on the controller; see `hooks`',
  local_conf_cmd: 'nothing is run on the controller; see `hooks`',
  container_dir: 'nothing is fetched from it',
  checkurl_status: 'state of the last deployment',
  differcount: 'state of the last deployment',
};
const FILLING = new Set(['', 'NULL']);

/** Sorts the rows by name, and notes every row and column that has no place. */
export function sortInventory(tables: Tables, notes: Notes): NamedInventory[] {
  for (const problem of tables.problems) notes.add(problem);
  for (const [table, rows] of tables.rows) {
    if (table === INVENTORY || table === BATCHES) continue;
    notes.add(`table ${table}: ${rows.length} rows not carried over`);
  }
  const names = new Map<string, NamedInventory>();
  const seen = new Map<string, string>();
  for (const [index, row] of (tables.rows.get(INVENTORY) ?? []).entries()) {
    const name = stripped(row.local_name);
    const of = names.get(name) ?? { name, instances: [], leftOut: [] };
    const fault = faultOf(row, seen);
    if (fault === undefined) {
      const key = stripped(row.app_key);
      of.instances.push({ key, name, host: (row.network_ip ?? '').trim(), programDir: path(row.pro_dir), row });
    } else {
      const told = `row ${index + 1} of ${INVENTORY} (app_key ${JSON.stringify(row.app_key ?? '')}): ${fault}`;
      of.leftOut.push(told);
      notes.add(told);
    }
    if (IDENTIFIER.test(name)) names.set(name, of);
  }
  noteColumns(tables, notes);
  const sorted = [...names.values()];
  readBatches(tables, names, notes);
  return sorted;
}

/** Why a row is no instance; undefined for one that is. */
function faultOf(row: Row, seen: Map<string, string>): string | undefined {
  const [key, name] = [stripped(row.app_key), stripped(row.local_name)];
  if (!IDENTIFIER.test(key)) return 'app_key is no key: letters, digits, "_", "." and "-", at most 64';
  if (!IDENTIFIER.test(name)) return `local_name ${JSON.stringify(row.local_name ?? '')} is no name`;
  if (stripped(row.auto_deloy) !== '1')
    return `auto_deloy is ${row.auto_deloy ?? 'NULL'}: takes no part in deployments`;
  const host = (row.network_ip ?? '').trim();
  if (host === '') return 'network_ip is empty';
  const dir = path(row.pro_dir);
  if (!dir.startsWith('/') || dir === '/') return `pro_dir ${JSON.stringify(row.pro_dir ?? '')} is no absolute path`;
  if (seen.has(key)) return 'the same app_key stands in an earlier row';
  const place = `${host}:${dir}`;
  const owner = seen.get(place);
  if (owner !== undefined) return `${place} is that of ${owner} already`;
  seen.set(key, key);
  seen.set(place, key);
  return undefined;
}

function noteColumns(tables: Tables, notes: Notes): void {
  const rows = tables.rows.get(INVENTORY) ?? [];
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  for (const column of columns) {
    if (CARRIED.has(column)) continue;
    const values = rows.map((row) => row[column] ?? '').filter((value) => !FILLING.has(value.trim()));
    if (values.length === 0) continue;
    const told = [...new Set(values.map((value) => tellable(column, value)))];
    const more = told.length > 3 ? ', …' : '';
    const reason = REASONS[column] ?? 'only descriptive, no counterpart';
    notes.add(`column ${column}: ${reason} (${values.length} rows: ${told.slice(0, 3).join(', ')}${more})`);
  }
}

function readBatches(tables: Tables, names: ReadonlyMap<string, NamedInventory>, notes: Notes): void {
  for (const [index, row] of (tables.rows.get(BATCHES) ?? []).entries()) {
    const name = stripped(row.local_name);
    const of = names.get(name);
    const told = `row ${index + 1} of ${BATCHES} (local_name ${JSON.stringify(row.local_name ?? '')})`;
    if (of === undefined) notes.add(`${told}: no instance of that name is in ${INVENTORY}`);
    else if (of.rollout !== undefined) notes.add(`${told}: an earlier row has the batches of that name`);
    else of.rollout = batchesOf(row.app_key_sort ?? '', of, told, notes);
  }
  for (const of of names.values()) leaveOutUnsorted(of, notes);
}

function batchesOf(text: string, { instances }: NamedInventory, told: string, notes: Notes): string[] {
  const known = new Set(instances.map(({ key }) => key));
  const used = new Set<string>();
  return text.split(';').flatMap((batch) => {
    const keys = batch.split(/\s+/).filter((key) => {
      if (key === '') return false;
      const takes = known.has(key) && !used.has(key);
      if (!takes)
        notes.add(`${told}: ${key} ${used.has(key) ? 'stands there twice' : 'is no instance that is deployed to'}`);
      used.add(key);
      return takes;
    });
    return keys.length === 0 ? [] : [keys.join(' ')];
  });
}

/** With batches, the original deployed only what stands in them. */
function leaveOutUnsorted(of: NamedInventory, notes: Notes): void {
  if (of.rollout === undefined) {
    if (of.instances.length > 0)
      notes.add(`${of.name}: has no row in ${BATCHES}: its instances go one by one, as listed`);
    return;
  }
  const sorted = new Set(of.rollout.flatMap((batch) => batch.split(' ')));
  for (const { key } of of.instances.filter((instance) => !sorted.has(instance.key))) {
    const told = `${key}: stands in no batch of ${of.name}, so a deployment of the name left it alone; left out`;
    of.leftOut.push(told);
    notes.add(told);
  }
  of.instances = of.instances.filter(({ key }) => sorted.has(key));
}

/** The original strips all spaces from these columns. */
export const stripped = (text: string | null | undefined): string => (text ?? '').replaceAll(' ', '');
/** A directory without what a list or a link could misread. */
export const path = (text: string | null | undefined): string =>
  stripped(text)
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '');
