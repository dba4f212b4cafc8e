import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { edge, ignoreError, mcpError, messageOf, type MCPInfraError } from '@mcpinfra/core/plugin';

/** What is to be started. */
export interface SpawnRequest {
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  /** The whole environment; may hold secret values. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A child that has been started, and so has a pid. */
export type SpawnedServer = ChildProcessWithoutNullStreams & { readonly pid: number };

/**
 * Starts a server without a shell, in a session of its own, and resolves when it runs.
 *
 * @throws why it cannot run: `WORKDIR_NOT_FOUND`, `COMMAND_NOT_FOUND`, `COMMAND_NOT_EXECUTABLE`, `INVALID_SPEC` for what
 * no system can start, else `PROVIDER_FAILED`
 */
export async function spawnServer(request: SpawnRequest): Promise<SpawnedServer> {
  const [command = '', ...args] = request.command;
  refuseNullBytes(request);
  if (request.cwd !== undefined) await checkDirectory(request.cwd);
  const child = spawn(command, args, {
    cwd: request.cwd,
    env: request.environment,
    detached: true,
    stdio: 'pipe',
    windowsHide: true,
  });
  return new Promise((resolve, reject) => {
    const fail = edge(reject, async (error: NodeJS.ErrnoException) => {
      reject(await startFailure(error, request));
    });
    const onSpawn = (): void => {
      // A signal that cannot be delivered is told by 'error'; the exit is what counts.
      child.off('error', fail).on('error', ignoreError);
      if (hasPid(child)) resolve(child);
    };
    child.once('spawn', edge(reject, onSpawn));
    child.once('error', fail);
  });
}

// Node refuses these too, with a message that quotes the value.
function refuseNullBytes(request: SpawnRequest): void {
  const variable = Object.entries(request.environment).find(([name, value]) =>
    `${name}${value}`.includes('\0'),
  )?.[0];
  const place =
    variable === undefined ? 'command or cwd' : `the environment variable ${variable.replaceAll('\0', '')}`;
  if (variable !== undefined || [...request.command, request.cwd ?? ''].some((text) => text.includes('\0'))) {
    throw mcpError('INVALID_SPEC', `Expected text without null bytes in ${place}; remove them.`);
  }
}

async function checkDirectory(cwd: string): Promise<void> {
  let found = 'nothing there';
  try {
    if ((await stat(cwd)).isDirectory()) {
      found = 'one this process may not enter';
      await access(cwd, constants.X_OK);
      return;
    }
    found = 'a file';
  } catch {
    // Said below.
  }
  throw mcpError(
    'WORKDIR_NOT_FOUND',
    `Expected a directory at cwd ${cwd}, found ${found}; create it or correct cwd.`,
  );
}

async function startFailure(error: NodeJS.ErrnoException, request: SpawnRequest): Promise<MCPInfraError> {
  const command = request.command[0] ?? '';
  const isPath = command.includes('/');
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      if (isPath && request.cwd === undefined && (await isThere(command))) {
        const message = `The command ${command} is there, but not the interpreter its first line names; install that.`;
        return mcpError('COMMAND_NOT_FOUND', message);
      }
      return mcpError(
        'COMMAND_NOT_FOUND',
        isPath
          ? `The command ${command} does not exist; install it or correct the path.`
          : `The command ${command} is in no directory of PATH (${request.environment['PATH'] ?? 'not set'}); ` +
              'install it, or give its path.',
        { details: { command } },
      );
    case 'EACCES':
    case 'EPERM':
    case 'ENOEXEC':
      return mcpError(
        'COMMAND_NOT_EXECUTABLE',
        `The command ${command} may not be executed (${error.code}); set its x bit, or start it by its interpreter.`,
        { details: { command } },
      );
    case 'E2BIG':
      return mcpError(
        'INVALID_SPEC',
        `The arguments and environment of ${command} are larger than the system allows.`,
      );
    case undefined:
    default:
      // The error lists the arguments; its message does not.
      return mcpError('PROVIDER_FAILED', `The system could not start ${command}: ${messageOf(error)}.`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function hasPid(child: ChildProcessWithoutNullStreams): child is SpawnedServer {
  return child.pid !== undefined;
}
