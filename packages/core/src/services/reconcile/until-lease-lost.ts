import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';

/** A signal that fires only when the instance is no longer ours. */
export function untilLeaseLost(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const heed = (): void => {
    const reason: unknown = signal.reason;
    if (MCPInfraError.isInstance(reason) && reason.code === 'LEASE_LOST') controller.abort(reason);
  };
  if (signal.aborted) heed();
  signal.addEventListener('abort', heed, { once: true });
  return controller.signal;
}
