import { randomBytes, randomUUID } from 'node:crypto';
import { formatEphemeralFleet, processIdentity } from '../../plugin-essentials.js';
import type { StoreIdentity } from '../../plugin.js';
import { Committed } from './committed.js';
import { type Commits, memoryCommits } from './commits.js';
import type { Layer } from './layer.js';

/** Where a store keeps what it is given. */
export interface Backing {
  /** @param applied - called after every commit with what it changed */
  open(applied: (changes: Layer) => void): Promise<OpenBacking>;
}

/** A store that has been opened. */
export interface OpenBacking {
  readonly identity: StoreIdentity;
  readonly committed: Committed;
  readonly commits: Commits;
}

/** Keeps everything in this process, under a fleet whose name tells whose it was. */
export function memoryBacking(fleet: string | undefined): Backing {
  return {
    async open(applied) {
      const committed = new Committed();
      const random = randomBytes(4).toString('hex');
      const identity: StoreIdentity = {
        storeId: randomUUID(),
        fleet: fleet ?? formatEphemeralFleet(await processIdentity(), random),
        durable: false,
      };
      return { identity, committed, commits: memoryCommits(committed, applied) };
    },
  };
}
