import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { ExitRecord } from '../../domain/instance/mcp-server-instance.js';
import type { Observation } from '../../ports/provider.js';

/** The error of a copy that ended, or was gone, before its server answered. */
export function exitedAtStart(seen: Exclude<Observation, { state: 'running' }>): MCPInfraError {
  if (seen.state === 'absent')
    return mcpError('EXITED_AT_START', 'The copy was gone before the server answered.');
  const { exit } = seen;
  return mcpError(exit.code ?? 'EXITED_AT_START', describeExit(exit, 'before it answered'), {
    details: { exit },
  });
}

/** Tells an exit as a sentence. */
export function describeExit(exit: ExitRecord, when: string): string {
  const how =
    exit.signal !== null
      ? `was ended by ${exit.signal}`
      : `exited with code ${exit.exitCode === null ? 'unknown' : String(exit.exitCode)}`;
  const memory = exit.oomKilled ? ' (out of memory)' : '';
  const said = exit.lastLogLines.at(-1);
  return `The server ${how}${memory} ${when}.${said === undefined ? '' : ` It last wrote: "${said.slice(0, 300)}".`}`;
}

/** The exit that an error carries, where it tells of one. */
export function exitIn(error: MCPInfraError): ExitRecord | undefined {
  return error.details['exit'] as ExitRecord | undefined;
}

/** Whether an error says that a copy failed, not only that the pass was ended. */
export function isFailure(error: unknown): error is MCPInfraError {
  return (
    MCPInfraError.isInstance(error) &&
    !['ABORTED', 'CONFLICT', 'LEASE_LOST', 'STORE_FAILED'].includes(error.code)
  );
}
