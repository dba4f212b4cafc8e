import type { CallBounds, Connection } from '../connection/connection.js';
import { isRefusal } from '../connection/is-refusal.js';
import type { GroupContext } from './group-context.js';

/** Makes the group unless it exists: from now on (`$`), or from the first entry there is (`0`). */
export async function createGroup(
  connection: Connection,
  { keys, group }: Pick<GroupContext, 'keys' | 'group'>,
  start: '$' | '0',
  bounds?: CallBounds,
): Promise<void> {
  try {
    await connection.call(
      'XGROUP CREATE',
      (redis) => redis.xgroup('CREATE', keys.events, group, start, 'MKSTREAM'),
      bounds,
    );
  } catch (error) {
    if (!isRefusal(error, 'BUSYGROUP')) throw error;
  }
}
