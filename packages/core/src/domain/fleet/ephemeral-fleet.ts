import type { ProcessIdentity } from './process-identity.js';

/** The process that owns an ephemeral fleet; both ids are shortened to their first 8 digits. */
export type EphemeralOwner = ProcessIdentity;

const shape = /^memory-([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,10})-(\d{1,15})-[a-z0-9]{1,16}$/u;

/**
 * Names the fleet of a store that dies with its process, so that its remains tell whose they were.
 *
 * @param random - lower-case letters and digits, at most 16, that tell several stores of one process apart
 */
export function formatEphemeralFleet(identity: ProcessIdentity, random: string): string {
  const { machineId, bootId, pid, startTime } = identity;
  return `memory-${machineId.slice(0, 8)}-${bootId.slice(0, 8)}-${pid}-${startTime}-${random}`;
}

/** Reads the owner off the name of an ephemeral fleet, or returns `undefined` for the name of another fleet. */
export function parseEphemeralFleet(name: string): EphemeralOwner | undefined {
  const match = shape.exec(name);
  if (match === null) return undefined;
  const [, machineId = '', bootId = '', pid, startTime] = match;
  return { machineId, bootId, pid: Number(pid), startTime: Number(startTime) };
}
