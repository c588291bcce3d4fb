import type { Envelope } from '@rexdeploy/shared/api/envelope-schema';

/** The final answer that the documentation of the original shows, word for word; its token masked, as all of ours are. */

const TOKEN = '1527665686…gpwr';
const BEFORE = '20180521_043510';
const AFTER = '20180530_043756';

const instance = (n: 1 | 2, ip: string, stamp: string, times: [string, string, string, string]) => ({
  deloy_configdir_after: `/data/www/config${n}_${AFTER}`,
  deloy_configdir_before: `/data/www/config${n}_${BEFORE}`,
  deloy_prodir_after: `/data/www/html${n}_${AFTER}`,
  deloy_prodir_before: `/data/www/html${n}_${BEFORE}`,
  deloy_prodir_real_before: {},
  deloy_size: `32M /data/www/html${n}_${AFTER} 24K /data/www/config${n}_${AFTER}`,
  deploy_ip: ip,
  deploy_key: `server${n}`,
  deploy_take: 'Total Take:23 || Rsync Time:15 || Start App Time:4',
  end_time: times[3],
  processNumber: '2',
  randomStr: stamp,
  rollRecord: '0',
  rollStatus: '0',
  rollbackNumber: '0',
  rsync_war_time: times[1],
  start_app_time: times[2],
  start_time: times[0],
});

export const documentedAnswer = {
  code: '0',
  data: {
    code: '0',
    data: {
      '0': {
        code: '0',
        data: {
          '0': instance(1, '192.168.0.76', '1527665969426659803', [
            '2018-05-30 04:39:29',
            '2018-05-30 04:39:44',
            '2018-05-30 04:39:48',
            '2018-05-30 04:39:52',
          ]),
        },
        endtime: '2018-05-30 04:40:17',
        msg: 'server1 have finshed deploy',
        starttime: '2018-05-30 04:37:56',
      },
      '1': {
        code: '0',
        data: {
          '0': instance(2, '192.168.0.248', '1527666117630166853', [
            '2018-05-30 04:41:57',
            '2018-05-30 04:42:12',
            '2018-05-30 04:42:16',
            '2018-05-30 04:42:20',
          ]),
        },
        endtime: '2018-05-30 04:42:46',
        msg: 'server2 have finshed deploy',
        starttime: '2018-05-30 04:40:17',
      },
      '2': { code: '0', msg: 'server have deploy finshed' },
    },
    msg: 'server 全部灰度发布完成',
  },
  param: { action: 'deploy', k: 'server', senv: 'uat', token: TOKEN },
  parseparameters: {
    code: '0',
    msg: '校验和解析参数成功',
    precmd: '',
    requestCmd: `deploy,--k="server",--senv="uat",--token="${TOKEN}",--w="1"`,
  },
  print_stdout: '0',
  respon: {
    chdir: '/data/RexdeployV3',
    cmd: `/usr/bin/rex -qF deploy --k="server" --senv="uat" --token="${TOKEN}" --w="1"`,
    code: '1',
    msg: '执行完成',
    ret: '0',
    stderr: '',
    stdout: '',
  },
  take: '292',
} as const satisfies Envelope;
