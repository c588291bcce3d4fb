/** What a figure depends on and must be told with. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';

const FILE_SYSTEMS = {
  16914836: 'tmpfs',
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlay',
};

/** @param {string} dir where the bench works */
export async function machineFacts(dir) {
  const { type } = await statfs(dir);
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    cores: cpus().length,
    cpu: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: readFileSync('/proc/version', 'utf8').split(' ')[2],
    system: systemName(),
    node: process.version,
    fileSystem: FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`,
    load: loadavg()[0],
    versions: {
      openssh: firstLine('ssh', ['-V']),
      rsync: firstLine('rsync', ['--version']),
      nginx: firstLine('nginx', ['-v']),
      redis: firstLine('redis-server', ['--version']),
    },
    rexdeploy: firstLine('git', ['rev-parse', '--short', 'HEAD']),
  };
}

/** One line for people. */
export function describeMachine(facts) {
  const { cores, cpu, memoryGiB, kernel, system, node, fileSystem, load } = facts;
  const parts = [
    `${cores} × ${cpu}`,
    `${memoryGiB} GiB`,
    system,
    `Linux ${kernel}`,
    `Node ${node}`,
    `on ${fileSystem}`,
  ];
  return `${parts.join(', ')}; load at the start ${load.toFixed(1)}`;
}

function systemName() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** Some write their version to stderr. */
function firstLine(command, args) {
  try {
    const text = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    return text.split('\n')[0].trim();
  } catch {
    return 'not found';
  }
}
