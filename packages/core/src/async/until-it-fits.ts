import { setImmediate as othersTurn } from 'node:timers/promises';
import { MCPInfraError } from '../domain/errors/mcpinfra-error.js';

/** Many writers at once each win once; whoever loses more often than this meets with something else than them. */
const mostAttempts = 200;
/** The longest pause, in turns of the event loop. */
const longestPause = 16;

/**
 * Reads, decides and writes, and does so again as long as somebody else wrote in between (`CONFLICT`).
 *
 * Those that lost together pause for different times before they try again, or they would go on losing together.
 *
 * @param random - a number in [0, 1)
 * @param attempt - reads and decides; returns the write, whose conflicts are what is tried again
 */
export async function untilItFits<T>(
  random: () => number,
  attempt: () => Promise<() => Promise<T>>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const write = await attempt();
    try {
      return await write();
    } catch (error) {
      const isConflict = MCPInfraError.isInstance(error) && error.code === 'CONFLICT';
      if (!isConflict || tries >= mostAttempts) throw error;
    }
    const most = Math.min(longestPause, tries);
    for (let turn = Math.floor(random() * most); turn > 0; turn--) await othersTurn();
  }
}
