import type { Advice } from '@rexdeploy/shared/api/parse-answer';

/** What to do, in terms of the command line. */
export const advice: Advice = {
  refused(status, { job }) {
    if (status === 401) return 'give a valid token with --token or REX_TOKEN; `rex token create` makes one';
    if (status === 409 && job !== undefined) return `follow the running one: rex watch ${job.id}`;
    return undefined;
  },
  unreachable: 'check --server or REX_SERVER, and that the API runs (npm start)',
  foreign: 'check --server, and that API and rex are of the same version',
};
