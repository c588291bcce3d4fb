/** The work that is measured. */
const MIB = 1024 ** 2;

/**
 * `atMost`: ours ÷ tuned must not be larger; `goal`: what it should come to. `cold`: nothing lies on the hosts before;
 * otherwise the former version does, and `changed` of the files differ from it.
 */
export const ITEMS = {
  W1: {
    what: '2 hosts, 32 MB in 300 files, cold',
    hosts: 2,
    files: 300,
    sizeBytes: 32 * MIB,
    cold: true,
    atMost: 0.95,
    goal: 0.75,
  },
  W2: {
    what: '2 hosts, 32 MB in 300 files, 2 % changed',
    hosts: 2,
    files: 300,
    sizeBytes: 32 * MIB,
    changed: 0.02,
    atMost: 0.7,
    goal: 0.5,
  },
  W3: {
    what: '10 hosts, 32 MB in 300 files, 2 % changed',
    hosts: 10,
    files: 300,
    sizeBytes: 32 * MIB,
    changed: 0.02,
    atMost: 0.6,
    goal: 0.42,
  },
  W4: {
    what: '2 hosts, 80 MB in 20,000 files, 2 % changed',
    hosts: 2,
    files: 20_000,
    sizeBytes: 80 * MIB,
    changed: 0.02,
    atMost: 0.45,
    goal: 0.3,
  },
  W5: {
    what: '1 host, 1 GB in 50 files, cold',
    hosts: 1,
    files: 50,
    sizeBytes: 1024 * MIB,
    cold: true,
    atMost: 1,
    goal: 0.85,
  },
};

/** The same in small, to see that all of it works. */
export function inSmall(item) {
  const share = 1 / 32;
  return {
    ...item,
    hosts: Math.min(item.hosts, 2),
    files: Math.max(20, Math.round(item.files * share)),
    sizeBytes: Math.round(item.sizeBytes * share),
  };
}
