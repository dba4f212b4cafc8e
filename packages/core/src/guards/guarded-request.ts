import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { DialTarget, RunRequest, SecretBundle } from '../ports/provider.js';
import { abortError } from '../async/abort.js';
import type { Bounds } from '../async/deadline.js';

/**
 * The request as a provider gets it: once its call is given up it learns no secret any more, so that one that heeds no
 * signal does not go on to make the copy, and what it says of its progress is ignored.
 */
export function guardedRequest<TSpec extends JsonSpec>(
  request: RunRequest<TSpec>,
  bounds: Bounds,
): RunRequest<TSpec> {
  return {
    ...guardedTarget(request, bounds),
    environment: async () => {
      assertAwaited(bounds);
      return request.environment();
    },
    onProgress: (progress) => {
      if (!bounds.signal.aborted) request.onProgress(progress);
    },
  };
}

/** The same for whatever only asks for secrets. */
export function guardedTarget<TTarget extends Pick<DialTarget, 'secrets'>>(
  target: TTarget,
  bounds: Bounds,
): TTarget {
  return {
    ...target,
    secrets: async (): Promise<SecretBundle> => {
      assertAwaited(bounds);
      return target.secrets();
    },
  };
}

function assertAwaited({ signal }: Bounds): void {
  if (signal.aborted) throw abortError(signal, 'A call of a provider');
}
