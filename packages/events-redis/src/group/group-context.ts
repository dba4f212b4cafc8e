import type { PartReport } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import type { ResolvedSettings } from '../redis-events-options.js';
import type { StreamKeys } from '../stream/stream-keys.js';

/** What the parts of one consumer in one group share. */
export interface GroupContext {
  readonly keys: StreamKeys;
  readonly group: string;
  /** The name of this consumer: no other one has it, also later. */
  readonly consumer: string;
  /** Never blocks: the bus's, for everything but reading. */
  readonly connection: Connection;
  readonly settings: ResolvedSettings;
  /** Told of what the group does by itself. */
  readonly report: PartReport;
}
