import { edge } from '../../async/edge.js';
import type { Clock } from '../../ports/clock.js';
import { limits } from '../limits.js';

/** A stream that stayed open for so long did not end at once. */
const steadyMs = 5_000;

/** Opens a stream again after a pause; returns what cancels that. */
export type ReconnectScheduler = (reconnect: () => void, delayMs: number) => () => void;

/**
 * Makes what the MCP client's transport asks when it opens a stream again: as late as the server says by `retry`, but
 * neither at once nor after more than `limits.reconnectLongestMs`, and ever later while streams end at once.
 */
export function reconnectPauses(clock: Clock, onError: (error: unknown) => void): ReconnectScheduler {
  let endedAtOnce = 0;
  let openedMs = -Infinity;
  return (reconnect, delayMs) => {
    const { reconnectMs, reconnectLongestMs } = limits;
    endedAtOnce = clock.monotonicMs() - openedMs < steadyMs ? endedAtOnce + 1 : 0;
    const leastMs = reconnectMs * 2 ** Math.min(endedAtOnce, 10);
    const open = edge(onError, () => {
      openedMs = clock.monotonicMs();
      reconnect();
    });
    return clock.schedule(Math.min(reconnectLongestMs, Math.max(leastMs, delayMs)), open);
  };
}
