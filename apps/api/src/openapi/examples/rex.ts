import { list } from '@rexdeploy/shared/journal/envelope';
import type { AllExamples } from './example.js';
import { answered } from './frame.js';
import * as job from './job.js';

/** Examples of `POST /rex`: of every action a request, of every kind of answer one. */
export const rexExamples: AllExamples['POST /rex'] = {
  bodies: {
    documented: { summary: 'the documented request', value: { action: 'deploy', k: 'server', senv: 'uat' } },
    gray: {
      summary: 'two instances by hand, in this order, stopped after the first',
      value: { action: 'deploy', k: 'server2 server1', senv: 'uat', hold: '1' },
    },
    url: {
      summary: 'a full package from an address',
      value: { action: 'deploy', k: 'server', url: 'http://10.0.0.3/app.tar.gz', full: '2' },
    },
    dryRun: {
      summary: 'what would change',
      value: { action: 'deploy', k: 'server', senv: 'uat', dry_run: '1', wait: '60' },
    },
    planned: {
      summary: 'only what the dry run showed',
      value: { action: 'deploy', k: 'server', senv: 'uat', plan: job.PLAN },
    },
    rollback: { summary: 'back to the former release', value: { action: 'rollback', k: 'server', wait: '300' } },
    converge: { summary: 'all to the newest release', value: { action: 'converge', k: 'server', to: 'newest' } },
    mark: { summary: 'mark a release', value: { action: 'mark', k: 'server', to: '20180530_043756' } },
    keys: {
      summary: "instance keys, in the original's words",
      value: { action: 'Enter:deploy:main', k: 'server2 server1', senv: 'uat' },
    },
    release: { summary: 'all at once, past the balancer', value: { action: 'release', k: 'server', senv: 'uat' } },
    list: { summary: 'names and instance keys', value: { action: 'list' } },
    checkurl: { summary: 'is it healthy?', value: { action: 'checkurl', k: 'server', wait: '30' } },
    checkurlToo: { summary: 'the same', value: { action: 'loadService:main:check', k: 'server', wait: '30' } },
    restart: { summary: 'restart through the balancer', value: { action: 'service', k: 'server', a: 'restart' } },
    weights: { summary: 'what the balancer says', value: { action: 'queryk', k: 'server', wait: '30' } },
    weightsToo: { summary: 'the same', value: { action: 'loadService:main:queryk', k: 'server', wait: '30' } },
    out: {
      summary: 'out of rotation until it is wished back',
      value: { action: 'updatek', k: 'server2', weight: '0' },
    },
    back: { summary: 'back as it was', value: { action: 'loadService:main:update', k: 'server2', w: 'restore' } },
    check: { summary: 'would a deployment go?', value: { action: 'check', k: 'server', wait: '60' } },
    unlock: { summary: 'free a name', value: { action: 'Deploy:Db:initdb', k: 'server' } },
  },
  answers: {
    200: {
      documented: { summary: 'the documented final answer of deploy', value: job.ended },
      failed: { summary: 'deploy that failed', value: job.failed },
      dryRun: { summary: 'deploy with dry_run=1', value: job.dryRun },
      rollback: { summary: 'rollback where all had that release already', value: job.rolledBack },
      check: { summary: 'check that found something', value: job.checked },
      list: {
        summary: 'list',
        value: answered({ data: list(['server shop', 'server1 server2 shop1 3']), msg: '成功' }, { action: 'list' }),
      },
      mark: { summary: 'mark', value: answered({ data: {}, msg: '20180530_043756 is marked' }, { action: 'mark' }) },
    },
    202: {
      accepted: { summary: 'accepted', value: job.accepted },
      unlock: {
        summary: 'Deploy:Db:initdb without k',
        value: answered(
          { data: list([{ k: 'server', job: job.JOB_ID }]), msg: '1 names are being unlocked' },
          { action: 'Deploy:Db:initdb' },
        ),
      },
    },
  },
};
