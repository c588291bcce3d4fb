/** Actions of the original that this product has no counterpart of, and why; an API token must not do these. */

const SHELL = 'a token for deployments must not run commands on hosts; use ssh';
const FILES = 'files come to hosts as releases only, where they are verified and can be taken back';
const OUTWARD = 'the controller sends no requests for others';
const LOGS = 'logs are read on the hosts, or where they are collected';
const STAGING = 'packages are staged and compared by a deployment itself; see dry_run=1';
const RESULTS = 'results stand in the job: GET /jobs/:id';

const REASONS: Readonly<Record<string, string>> = {
  run: SHELL,
  'Common:Use:run': SHELL,
  'User:main:route': 'users of hosts are not managed here',
  upload: FILES,
  download: FILES,
  'Common:Use:upload': FILES,
  'Common:Use:download': FILES,
  'Common:Use:syncFiles': FILES,
  'Deploy:Configure:sync': `${FILES}; upload a configuration with POST /packages`,
  'Common:Use:get': OUTWARD,
  'Common:Use:post': OUTWARD,
  'Cos:Upload:query': OUTWARD,
  'Cos:Upload:txy': OUTWARD,
  json: RESULTS,
  'Common:Use:getJson': RESULTS,
  clean: RESULTS,
  getLog: LOGS,
  grepLog: LOGS,
  lookLog: LOGS,
  'logCenter:main:getLog': LOGS,
  'logCenter:main:grepLog': LOGS,
  'logCenter:main:liveLog': LOGS,
  'logCenter:main:lookLog': LOGS,
  'logCenter:main:queryList': LOGS,
  'Predeploy:Judge:accesslog': LOGS,
  'Enter:route:download': STAGING,
  'Enter:route:downloadCombile': STAGING,
  'Deploy:Core:syncpro': STAGING,
  'Deploy:Core:diff': STAGING,
  'Deploy:Configure:config': STAGING,
  'Enter:route:rollback': 'use action=rollback',
  'Enter:route:service': 'use action=service',
  'loadService:main:query': 'weights are asked for by name: action=queryk',
};

/** Why there is no such action; undefined for one that the original did not have either. */
export const leftOut = (action: string): string | undefined =>
  Object.hasOwn(REASONS, action) ? REASONS[action] : undefined;
