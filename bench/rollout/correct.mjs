/** Was it deployed? A quick tool that does not do its work is not measured. */
import { readlinkSync } from 'node:fs';
import { mustRun } from '@rexdeploy/sandbox/command';

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
  const answer = await fetch(`${fleet.nginx.urlOf(name)}/`);
  const { version } = await answer.json();
  if (version !== tree.version) throw new Error(`through the balancer ${version} answers instead of ${tree.version}`);
}
