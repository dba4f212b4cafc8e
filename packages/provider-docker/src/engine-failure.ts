import { mcpError, messageOf, MCPInfraError, type ErrorCode } from '@mcpinfra/core/plugin';

// dockerode's errors of HTTP have a status; others are of the connection.
interface RefusedRequest {
  readonly statusCode: number;
  readonly json?: unknown;
}

/** Makes an error of the library of what a request to the engine was rejected with. */
export function engineFailure(
  error: unknown,
  about: { readonly doing: string; readonly address: string },
): MCPInfraError {
  if (MCPInfraError.isInstance(error)) return error;
  const { doing, address } = about;
  if (isRefused(error)) {
    const said = saidIn(error);
    const message = `${doing} failed: the engine at ${address} answered ${String(error.statusCode)}: ${said}.`;
    return mcpError('PROVIDER_FAILED', message, {
      details: { status: error.statusCode, said },
      cause: error,
    });
  }
  const code: unknown = (error as { readonly code?: unknown } | null)?.code;
  const hint =
    code === 'EACCES' || code === 'EPERM'
      ? 'this process may not use the socket: give its user the right to, for example by the group docker'
      : 'start the engine, or correct the address in the options of dockerProvider';
  const message = `${doing} failed: no engine answers at ${address} (${messageOf(error)}); ${hint}.`;
  return mcpError('PLACEMENT_UNREACHABLE', message, { details: { address }, cause: error });
}

/** The code of why the engine cannot make or start a container, by what it says; `undefined` for what is unknown. */
export function startFailureCode(said: string): ErrorCode | undefined {
  return startFailures.find(([text]) => text.test(said))?.[1];
}

// What runc and crun say of a program they cannot run; the same words about other things mean something else.
const ofProgram = String.raw`(?:oci runtime|runc|crun|exec:|executable file)[^]*`;

// The order matters.
const startFailures: readonly (readonly [RegExp, ErrorCode])[] = [
  [/no such image|image not known/iu, 'IMAGE_NOT_FOUND'],
  [/(?:bind source path does not exist|invalid mount config)[^]*\/files/iu, 'SECRET_FILE_UNSUPPORTED'],
  [/bind source path does not exist|invalid mount config/iu, 'INVALID_SPEC'],
  [/unable to find (?:user|group)|no matching entries in (?:passwd|group) file/iu, 'INVALID_SPEC'],
  [
    /cannot mkdir|chdir to cwd|cwd.*(?:no such file|not a directory|permission denied)/iu,
    'WORKDIR_NOT_FOUND',
  ],
  [/no command specified/iu, 'COMMAND_NOT_FOUND'],
  [
    new RegExp(`${ofProgram}(?:permission denied|exec format error|is a directory)`, 'iu'),
    'COMMAND_NOT_EXECUTABLE',
  ],
  [new RegExp(`${ofProgram}(?:not found|no such file or directory)`, 'iu'), 'COMMAND_NOT_FOUND'],
];

function isRefused(error: unknown): error is RefusedRequest {
  return (
    typeof error === 'object' &&
    error !== null &&
    'statusCode' in error &&
    typeof error.statusCode === 'number'
  );
}

function saidIn({ json, message }: RefusedRequest & { readonly message?: unknown }): string {
  const told = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  // Of an answer that was to be a stream dockerode keeps the text in its own message only.
  const text = typeof told === 'string' ? told : String(message).replace(/^\(HTTP code \d+\) [^-]* - /u, '');
  return text.trim().replace(/\.$/u, '').slice(0, 1_000);
}
