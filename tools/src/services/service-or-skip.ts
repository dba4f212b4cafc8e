import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { ServiceUnavailable } from './service-unavailable.js';

/** Long enough for a machine that has to install the service first. */
const startTimeoutMs = 300_000;

/**
 * Starts a service for the tests of this file or `describe`, stops it after them, and returns who gives it to them.
 *
 * Where it cannot be had the tests are skipped, with the reason in each; under `CI` they fail. What has to be done with the
 * service before the first test belongs into `start`: a `beforeAll` runs without the service too.
 *
 * @example
 * ```ts
 * const engine = serviceOrSkip(async () => {
 *   const started = await startDockerEngine();
 *   await seedImages(started, ['mcp/test:latest']);
 *   return started;
 * });
 * it('answers', async () => ping(engine().socketPath));
 * ```
 */
export function serviceOrSkip<T extends { stop(): Promise<void> }>(start: () => Promise<T>): () => T {
  let service: T | undefined;
  let reason: string | undefined;
  beforeAll(async () => {
    try {
      service = await start();
    } catch (cause) {
      if (!isUnavailable(cause) || isCI()) throw cause;
      reason = cause.message;
      console.warn(`SKIPPED: ${reason}`);
    }
  }, startTimeoutMs);
  beforeEach(({ skip }) => skip(reason !== undefined, reason));
  afterAll(async () => service?.stop(), 60_000);
  return () => {
    if (service === undefined) throw new Error('the service is there from the first test on, not before');
    return service;
  };
}

/** By its name: this entry of the package and the one that throws have a class each. */
function isUnavailable(cause: unknown): cause is ServiceUnavailable {
  return cause instanceof Error && cause.name === 'ServiceUnavailable';
}

function isCI(): boolean {
  const value = process.env['CI'];
  return value !== undefined && value !== '' && value !== 'false';
}
