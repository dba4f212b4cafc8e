import type { ProtocolEraChoice } from '../domain/json-spec/json-spec.js';
import { type MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { type ResponseError, rpcErrors } from './json-rpc.js';
import type { Era } from './protocol.js';
import { quote } from './server-hello.js';

const modernErrors: readonly number[] = [
  rpcErrors.headerMismatch,
  rpcErrors.missingClientCapability,
  rpcErrors.unsupportedProtocolVersion,
];

/** Tells whether an error is one only servers of the modern era answer. */
export function isModernError(error: ResponseError | undefined): boolean {
  return error !== undefined && modernErrors.includes(error.code);
}

/** Tells whether the error of an `initialize` shows that the server no longer knows it. */
export function refusesInitialize(error: ResponseError | undefined): boolean {
  return isModernError(error) || error?.code === rpcErrors.methodNotFound;
}

/** Makes the error of a server that does not speak the era it was pinned to. */
export function eraMismatch(choice: ProtocolEraChoice, method: string, answer: string): MCPInfraError {
  const other: Era = choice === 'modern' ? 'legacy' : 'modern';
  return mcpError(
    'ERA_MISMATCH',
    `The server was to be spoken to in the ${choice} era but answered ${method} with ${answer}; ` +
      `set protocol_era to ${other} or auto.`,
  );
}

/** Says in short what error a server answered. */
export function describeError(error: ResponseError | undefined): string {
  return error === undefined ? 'something unexpected' : `error ${error.code}: ${quote(error.message)}`;
}
