import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { type ErrorCode, MCPInfraError } from '@mcpinfra/core/plugin';

/** Fails unless a promise rejects with an error of the library that has one of the codes. Gives that error. */
export async function rejectsWith(
  codes: readonly ErrorCode[],
  what: string,
  promise: Promise<unknown>,
): Promise<MCPInfraError> {
  const wanted = codes.join(' or ');
  const thrown: unknown = await promise.then(
    () => assert.fail(`${what} resolved instead of rejecting with ${wanted}`),
    (error: unknown) => error,
  );
  if (thrown instanceof assert.AssertionError) throw thrown;
  assert.ok(
    MCPInfraError.isInstance(thrown) && codes.includes(thrown.code),
    `${what} rejected with ${inspect(thrown, { depth: 1 })} instead of ${wanted}`,
  );
  return thrown;
}
