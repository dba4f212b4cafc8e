import { mcpError, MCPInfraError, messageOf } from '@mcpinfra/core/plugin';

/** Conditions that end by themselves, such as a server that starts. */
const passing = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '3D000',
]);

/**
 * Makes an error of the library of what the driver or the server said.
 *
 * The driver's error is kept as the cause; it holds no password.
 *
 * @param where - the database, for the sentence: `localhost:5432/app`
 */
export function storeError(error: unknown, where: string): MCPInfraError {
  if (MCPInfraError.isInstance(error)) return error;
  const code = codeOf(error);
  const { sentence, retryable } = describe(error, where);
  // The error of a URL that cannot be read holds the URL.
  const cause = code === 'ERR_INVALID_URL' ? undefined : error;
  if (code?.startsWith('22') === true || code === '54000') {
    return mcpError('INVALID_ARGUMENT', sentence, { details: { sqlState: code }, cause });
  }
  return mcpError('STORE_FAILED', sentence, { details: { sqlState: code ?? null }, cause, retryable });
}

/** Whether the same attempt may succeed in a moment. */
export function isPassing(error: unknown): boolean {
  const cause = MCPInfraError.isInstance(error) ? error.cause : error;
  const code = codeOf(cause);
  if (code === '08P01') return false;
  if (code !== undefined) return passing.has(code) || code.startsWith('08');
  return /terminated|timeout/u.test(messageOf(cause));
}

/** Whether the server asks for the whole transaction to be made again. */
export function mustStartOver(error: unknown): boolean {
  const cause = MCPInfraError.isInstance(error) ? error.cause : error;
  return ['40001', '40P01'].includes(codeOf(cause) ?? '');
}

/** Whether the server refused a statement and the connection can go on. */
export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'severity' in error && error.severity === 'ERROR';
}

/** The unique constraint that a write would have broken. */
export function brokenConstraint(error: unknown): string | undefined {
  const cause = MCPInfraError.isInstance(error) ? error.cause : error;
  if (codeOf(cause) !== '23505' || typeof cause !== 'object' || cause === null) return undefined;
  return 'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : undefined;
}

/**
 * Makes an error of the library of what an embedded database, or its file system, said.
 *
 * @param where - the database, for the sentence: `PGlite in ./data`
 */
export function embeddedError(error: unknown, where: string): MCPInfraError {
  const isOfDatabase = typeof error === 'object' && error !== null && 'severity' in error;
  if (MCPInfraError.isInstance(error) || isOfDatabase) return storeError(error, where);
  const code = codeOf(error);
  const sentence =
    code === undefined
      ? `${where} does not work: ${messageOf(error)}. See that nothing else uses its folder and that its files are whole, as ` +
        'in a backup.'
      : `${where} cannot have its folder (${code}): see that every part of the path is a folder, that this process may ` +
        'write there, and that there is room; or give another dataDir.';
  return mcpError('STORE_FAILED', sentence, {
    details: { errno: code ?? null },
    cause: error,
    retryable: false,
  });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

interface Description {
  readonly sentence: string;
  readonly retryable: boolean;
}

/** What the codes of the server mean to whoever runs it. See PostgreSQL's appendix A. */
function sentences(where: string, said: string): Readonly<Record<string, Description>> {
  const now = (sentence: string): Description => ({ sentence, retryable: true });
  const never = (sentence: string): Description => ({ sentence, retryable: false });
  const gone = never(
    `The tables of the store are gone from ${where}: restore them, or start anew (${said}).`,
  );
  const credentials = never(`${where} refused the user or its password: correct the credentials.`);
  const undone = now(`${where} undid the write because of others at the same time; nothing was changed.`);
  const unprepared = never(
    `${where} is reached by a pooler that keeps no prepared statements: set prepared: false in the options of the store, ` +
      `or have the pooler track them, as PgBouncer does with max_prepared_statements (${said}).`,
  );
  const nul = never('A text holds the character U+0000, which PostgreSQL cannot keep: leave it out.');
  return {
    '22021': nul,
    '22P05': nul,
    // What a pooler that lends servers by transaction makes of a statement that another one prepared.
    '26000': unprepared,
    '42P05': unprepared,
    '08P01': unprepared,
    '25006': now(
      `${where} is read-only, as a standby is or a server after a failover: connect to the primary one.`,
    ),
    '28000': credentials,
    '28P01': credentials,
    '3D000': now(`The database ${where} does not exist: create it, or correct its name.`),
    '3F000': gone,
    '42P01': gone,
    '40001': undone,
    '40P01': undone,
    '42501': never(
      `${where} does not allow this to the user: grant it the right to create a schema, or create the schema and make ` +
        `the user its owner (${said}).`,
    ),
    '53100': now(`The disk of ${where} is full: nothing can be written until there is room.`),
    '53300': now(
      `${where} has too many connections: raise max_connections, or give pools fewer. The store needs one beside those ` +
        'of its pool.',
    ),
    '54000': never(`A value is longer than PostgreSQL can index: make it shorter (${said}).`),
    '57014': now(`${where} cancelled the statement, as by statement_timeout: raise it, or ask for less.`),
    '57P03': now(`${where} is starting up or shutting down: wait until it serves.`),
  };
}

function describe(error: unknown, where: string): Description {
  const code = codeOf(error);
  const said = messageOf(error);
  const known = code === undefined ? undefined : sentences(where, said)[code];
  if (known !== undefined) return known;
  if (said.startsWith('SASL')) {
    return {
      sentence: `${where} asked for a password and none was given, or not as text: correct the credentials.`,
      retryable: false,
    };
  }
  if (isPassing(error)) {
    return {
      sentence:
        `${where} could not be reached, or the connection was lost (${code ?? said}): see that PostgreSQL runs there and ` +
        'that host and port are right. A write that was under way may or may not have been made.',
      retryable: true,
    };
  }
  return { sentence: `${where} answered: ${said}`, retryable: true };
}
