import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { retryDelayMs } from '../../async/retry.js';

/** How long at most until what failed because its backend is away is tried again, in milliseconds. */
export const awayRetryMs = 5_000;

/** Whether an error says that a backend does not answer, and nothing of what it was asked for. */
export function isBackendAway(error: unknown): boolean {
  return (
    MCPInfraError.isInstance(error) &&
    (error.code === 'PLUGIN_TIMEOUT' || error.code === 'PLACEMENT_UNREACHABLE')
  );
}

/** How long to wait after so many passes over an instance failed in a row. */
export function passRetryMs(failures: number, error: unknown): number {
  // Not at once even the first time, unlike after a crash: what failed is most often a backend.
  const delayMs = retryDelayMs(failures + 1, 0);
  return isBackendAway(error) ? Math.min(delayMs, awayRetryMs) : delayMs;
}
