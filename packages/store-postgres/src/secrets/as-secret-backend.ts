import { mcpError, MCPInfraError } from '@mcpinfra/core/plugin';

/** Runs work on the database; its failure is one of the secret backend. */
export async function asSecretBackend<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!MCPInfraError.isInstance(error) || error.code !== 'STORE_FAILED') throw error;
    const { message, details, cause, retryable } = error;
    throw mcpError('SECRET_BACKEND_FAILED', message, { details, cause, retryable });
  }
}
