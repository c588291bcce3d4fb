/** Was it deployed? A quick tool that does not do its work is not measured. */
import { readlinkSync } from 'node:fs';
import { mustRun } from '@rexdeploy/sandbox/command';
import { httpGet } from '@rexdeploy/sandbox/http-get';

/** Longest that workers of an nginx that was told to reload may go on with what they knew. */
const RELOAD_MS = 3_000;

/** Not every contender waits until nginx uses what it wrote. */
async function mustAnswer(url, wanted) {
  const end = Date.now() + RELOAD_MS;
  for (;;) {
    // Over a connection of its own: one that is kept may end with the worker that it leads to.
    const { status, body } = await httpGet(url);
    const version = status === 200 ? JSON.parse(body).version : `${status} ${body.slice(0, 200)}`;
    if (version === wanted) return;
    if (Date.now() > end) throw new Error(`through the balancer ${version} answers instead of ${wanted}`);
  }
}

/**
 * @throws Error when an instance has other content, runs another version, or is not back in rotation
 */
export async function mustBeDeployed({ fleet }, name, tree) {
  const instances = fleet.instances.filter((one) => one.name === name);
  for (const instance of instances) {
    const real = readlinkSync(instance.programDir);
    await mustRun('diff', ['-rq', '--no-dereference', tree.dir, real], { timeoutMs: 600_000 });
    const health = JSON.parse((await instance.get('/health')).body);
    if (health.version !== tree.version || health.release !== real) {
      throw new Error(`${instance.key} answers ${JSON.stringify(health)} instead of ${tree.version} from ${real}`);
    }
  }
  const servers = fleet.nginx.upstream(name);
  if (servers.length !== instances.length || servers.some(({ down }) => down)) {
    throw new Error(`the balancer's file is not as it was: ${servers.map(({ line }) => line).join(' ')}`);
  }
  await mustAnswer(`${fleet.nginx.urlOf(name)}/`, tree.version);
}
