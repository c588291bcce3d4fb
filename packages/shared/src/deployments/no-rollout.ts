/**
 * Actions that hold a name and bring no release: they stand in the history of jobs, and say nothing about which release
 * came when. The script ACCEPT knows them too: a deployment that supersedes leaves them in line.
 */
export const NO_ROLLOUT: ReadonlySet<string> = new Set(['unlock', 'sweep', 'service', 'updatek']);
