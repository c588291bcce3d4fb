import { monotonicFactory } from 'ulid';

// One process never makes two ids out of order within a millisecond.
const next = monotonicFactory();

/** `dep-<ulid>`: sorts by time of creation; a BullMQ job id must not be digits only. */
export const newDeploymentId = (): string => `dep-${next()}`;
/** `pkg-<ulid>`: sorts by time of upload. */
export const newPackageId = (): string => `pkg-${next()}`;
