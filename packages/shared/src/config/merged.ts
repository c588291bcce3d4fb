import type { ConfigIssue } from '../errors/config-error.js';
import type { InstanceSection, NameSection } from './name.js';

/** Where the configuration lies inside the program, for `is_deloy_dir: 1`; relative, undefined for any other instance. */
export function configInside({ is_deloy_dir, program_dir, config_dir }: InstanceSection): string | undefined {
  if (is_deloy_dir !== 1 || config_dir?.startsWith(`${program_dir}/`) !== true) return undefined;
  return config_dir.slice(program_dir.length + 1);
}

/** A configuration inside of a shared entry would be no part of any release. */
export function checkMergedShared(path: string, name: NameSection): ConfigIssue[] {
  return Object.entries(name.instances).flatMap(([key, instance]) => {
    const inside = configInside(instance);
    const around = name.shared.find((entry) => inside !== undefined && `${inside}/`.startsWith(`${entry}/`));
    if (around === undefined) return [];
    const found = `${instance.config_dir}, which is shared as "${around}"`;
    return [{ path: `${path}.${key}.config_dir`, found, expected: 'a directory outside of what is shared' }];
  });
}
