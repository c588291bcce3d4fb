/** The programs outside npm that a task needs: found, installed where we may, or named together with the command. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runChild } from './run-child.mjs';
import { withoutServiceStarts } from './service-starts.mjs';
import { say } from './setup.mjs';

/** Any one of `programs` of each inner list; package names per package manager. */
const PARTS = {
  'redis-server': { programs: [['redis-server']], apt: 'redis-server', dnf: 'redis', apk: 'redis' },
  sshd: {
    programs: [['sshd'], ['ssh'], ['ssh-keygen']],
    apt: 'openssh-server openssh-client',
    dnf: 'openssh-server openssh-clients',
    apk: 'openssh',
  },
  nginx: { programs: [['nginx']], apt: 'nginx', dnf: 'nginx', apk: 'nginx' },
  haproxy: { programs: [['haproxy']], apt: 'haproxy', dnf: 'haproxy', apk: 'haproxy' },
  chromium: {
    programs: [['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']],
    apt: 'chromium',
    dnf: 'chromium',
    apk: 'chromium',
  },
  pgrep: { programs: [['pgrep']], apt: 'procps', dnf: 'procps-ng', apk: 'procps' },
  nc: { programs: [['nc']], apt: 'netcat-openbsd', dnf: 'nmap-ncat', apk: 'netcat-openbsd' },
  // A pseudo-terminal, for what is seen of `rex`; part of every Debian.
  script: {
    programs: [['script'], ['stty']],
    apt: 'bsdutils coreutils',
    dnf: 'util-linux coreutils',
    apk: 'util-linux-misc coreutils',
  },
  rsync: { programs: [['rsync']], apt: 'rsync', dnf: 'rsync', apk: 'rsync' },
  curl: { programs: [['curl']], apt: 'curl', dnf: 'curl', apk: 'curl' },
  perl: { programs: [['perl']], apt: 'perl', dnf: 'perl', apk: 'perl' },
  sudo: { programs: [['sudo']], apt: 'sudo', dnf: 'sudo', apk: 'sudo' },
  unzip: { programs: [['unzip']], apt: 'unzip', dnf: 'unzip', apk: 'unzip' },
};

const COMMANDS = {
  apt: (packages) => `apt-get update && apt-get install -y --no-install-recommends ${packages}`,
  dnf: (packages) => `dnf install -y ${packages}`,
  apk: (packages) => `apk add ${packages}`,
};

const ALSO = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin', '/usr/local/bin'];

/**
 * @param {readonly string[]} names keys of PARTS
 * @throws when something is missing that we may not or could not install
 */
export async function ensureSystemParts(names) {
  const missing = names.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  const manager = findManager();
  if (manager !== 'apt' || process.getuid?.() !== 0) throw new Error(advice(missing, manager));

  const packages = packagesOf(missing, 'apt').split(' ');
  say(`installing ${packages.join(' ')} (apt-get)`);
  const failed = await withoutServiceStarts(() => aptInstall(packages));
  const still = missing.filter((name) => !isThere(name));
  if (still.length > 0) throw new Error(`${failed ?? 'installed, but not found'}: ${advice(still, manager)}`);
}

function isThere(name) {
  return PARTS[name].programs.every((choices) => choices.some(isOnPath));
}

function isOnPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...ALSO].filter((folder) => folder !== '');
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Debian and Ubuntu and what descends from them say so; others are known by their tool. */
function findManager() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) && isOnPath('apt-get')) return 'apt';
  return ['dnf', 'apk'].find(isOnPath);
}

function packagesOf(names, manager) {
  return names.map((name) => PARTS[name][manager]).join(' ');
}

function advice(missing, manager) {
  const list = missing.join(', ');
  if (manager === undefined) return `missing: ${list}; install them with this system's package manager and run again`;
  const command = COMMANDS[manager](packagesOf(missing, manager));
  const line = process.getuid?.() === 0 ? command : `sudo sh -c '${command}'`;
  return `missing: ${list}; run: ${line}`;
}

/** @returns {Promise<string | undefined>} what failed */
async function aptInstall(packages) {
  const options = {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' },
  };
  // Another installation may be under way; wait for it instead of failing at once.
  const patient = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0', '-q'];
  const update = await runChild('apt-get', [...patient, 'update'], options);
  const install = [...patient, 'install', '-y', '--no-install-recommends', ...packages];
  const code = await runChild('apt-get', install, options);
  if (code === 0) return undefined;
  return update === 0
    ? `apt-get install failed with exit code ${code}`
    : `apt-get update failed with exit code ${update}`;
}
