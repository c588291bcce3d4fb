/** One deployed copy of a name on one host of the fleet: where it lies, and what can be seen of it from outside. */
import { lstatSync, realpathSync } from 'node:fs';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CommandResult, mustRun, runCommand } from './command.js';
import { type HttpAnswer, httpGet } from './http-get.js';
import { argumentsOf, isAlive, listProcesses } from './proc.js';
import { makeConfig } from './program.js';
import { writeServiceScript } from './service-script.js';

/** How an instance lies there before its first deployment by us. */
export type FirstDeployment = 'release' | 'plain' | 'nothing';

/** Long enough for a machine that is busy with many apps. */
const START_TIMEOUT_MS = 60_000;

/** Stamps of the directories that are there from the start. */
export const FIRST_STAMP = '20180521_043510';

export interface InstanceFacts {
  key: string;
  name: string;
  /** The address of its host. */
  host: string;
  /** The port the app listens on. */
  port: number;
  /** The folder of its host, below which everything of the instance lies. */
  hostDir: string;
  programDir: string;
  configDir: string;
  /** Start/stop script; undefined for an instance without an app. */
  service: string | undefined;
  /** Found on the command lines of its processes, and on no others. */
  process: string;
  url: string;
}

/** What /health of the sample app tells. */
export interface Health {
  status: string;
  instance: string;
  release: string;
  version: string;
  pid: number;
  startedAt: string;
}

export interface Observation {
  /** The release directory behind `programDir`; undefined when it is a plain directory or missing. */
  link: string | undefined;
  /** The same for the configuration. */
  configLink: string | undefined;
  /** Process ids, parents first. */
  running: number[];
  /** The version that answers, or undefined. */
  version: string | undefined;
  health: Health | undefined;
}

export class FleetInstance implements InstanceFacts {
  readonly key: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly hostDir: string;
  readonly programDir: string;
  readonly configDir: string;
  readonly service: string | undefined;
  readonly process: string;
  readonly url: string;
  readonly logFile: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(facts: InstanceFacts, env: Readonly<Record<string, string>>) {
    this.key = facts.key;
    this.name = facts.name;
    this.host = facts.host;
    this.port = facts.port;
    this.hostDir = facts.hostDir;
    this.programDir = facts.programDir;
    this.configDir = facts.configDir;
    this.service = facts.service;
    this.process = facts.process;
    this.url = facts.url;
    this.logFile = join(facts.hostDir, 'var/log', `${facts.key}.log`);
    this.#env = env;
  }

  /** Puts the program (copied from `program`) and a configuration there, and the service script. */
  async place(program: string, first: FirstDeployment): Promise<void> {
    await mkdir(dirname(this.programDir), { recursive: true });
    await mkdir(dirname(this.configDir), { recursive: true });
    if (this.service !== undefined) {
      writeServiceScript({
        file: this.service,
        process: this.process,
        programDir: this.programDir,
        configDir: this.configDir,
        address: this.host,
        port: this.port,
        pidFile: join(this.hostDir, 'var/run', `${this.key}.pid`),
        logFile: this.logFile,
      });
    }
    if (first === 'nothing') return;
    await mustRun('cp', ['-a', '--reflink=auto', program, placeOf(this.programDir, first)]);
    makeConfig(placeOf(this.configDir, first), this.key);
    if (first === 'plain') return;
    await symlink(placeOf(this.programDir, first), this.programDir);
    await symlink(placeOf(this.configDir, first), this.configDir);
  }

  /** Runs the service script the way a log-in on its host would. */
  runService(verb: 'start' | 'stop' | 'restart' | 'status'): Promise<CommandResult> {
    if (this.service === undefined) throw new Error(`${this.key} has no service`);
    return runCommand(this.service, [verb], { env: { ...process.env, ...this.#env }, cwd: '/' });
  }

  /** Starts it and resolves once it answers. */
  async start(): Promise<void> {
    const { code, stderr } = await this.runService('start');
    if (code !== 0) throw new Error(`${this.key}: ${stderr.trim()}`);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await this.health()) === undefined) {
      if (Date.now() > deadline) throw new Error(`${this.key} was started but does not answer at ${this.url}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  /** The processes whose command line carries the instance's mark. */
  pids(): number[] {
    const mark = `--name=${this.process}`;
    return listProcesses()
      .map(({ pid }) => pid)
      .filter((pid) => argumentsOf(pid).includes(mark) && isAlive(pid));
  }

  get(path: string): Promise<HttpAnswer> {
    return httpGet(`${this.url}${path}`);
  }

  /** Undefined when nothing answers. */
  async health(): Promise<Health | undefined> {
    try {
      return JSON.parse((await this.get('/health')).body) as Health;
    } catch {
      return undefined;
    }
  }

  async observe(): Promise<Observation> {
    const health = await this.health();
    return {
      link: linkTarget(this.programDir),
      configLink: linkTarget(this.configDir),
      running: this.pids(),
      version: health?.version,
      health,
    };
  }
}

/** Moves a tree to where an instance without an app has it; used for environments one only takes packages from. */
export async function placeRelease(from: string, programDir: string): Promise<void> {
  await mkdir(dirname(programDir), { recursive: true });
  await rename(from, placeOf(programDir, 'release'));
  await symlink(placeOf(programDir, 'release'), programDir);
}

function placeOf(dir: string, first: FirstDeployment): string {
  return first === 'release' ? `${dir}_${FIRST_STAMP}` : dir;
}

function linkTarget(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isSymbolicLink()) return undefined;
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
