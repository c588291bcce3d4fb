/** Where a bench works: in memory where it can, so that a disk's moods are not measured. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onProcessExit } from '@rexdeploy/sandbox/release-stack';

/** `BENCH_DIR`, else `/dev/shm`, else the system's temporary folder. */
export function baseFolder() {
  const { BENCH_DIR } = process.env;
  if (BENCH_DIR !== undefined && BENCH_DIR !== '') return BENCH_DIR;
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** A folder that is gone when this process is. */
export function workFolder() {
  const dir = mkdtempSync(join(baseFolder(), 'rexbench-'));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  const forget = onProcessExit(remove);
  return {
    dir,
    close: () => {
      forget();
      remove();
    },
  };
}
