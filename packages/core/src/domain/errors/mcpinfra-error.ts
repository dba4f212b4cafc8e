import { errorCodes, type ErrorCategory, type ErrorCode } from './error-codes.js';

const marker = Symbol.for('io.mcpinfra.error');

/** What an error can carry besides its code and sentence. */
export interface MCPInfraErrorOptions {
  /** Machine-readable facts; never a secret value. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** What caused it. */
  readonly cause?: unknown;
  /** Overrides the table's word on whether the unchanged call may succeed later. */
  readonly retryable?: boolean | undefined;
}

/**
 * The base of every error this library throws.
 *
 * Safe to print: message, details and cause hold no secret value. Use {@link MCPInfraError.isInstance} instead of
 * `instanceof`, because a host can end up with two copies of the package.
 */
export class MCPInfraError extends Error {
  override readonly name: string = 'MCPInfraError';
  /** A code of the table {@link errorCodes}. */
  readonly code: ErrorCode;
  /** Who can end the failure. */
  readonly category: ErrorCategory;
  /** Whether the unchanged call may succeed later. */
  readonly retryable: boolean;
  /** What a host answers who asked it over HTTP. */
  readonly httpStatus: number;
  /** What to do about it. */
  readonly remedy: string;
  /** Machine-readable facts. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: MCPInfraErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry = errorCodes[code];
    this.code = code;
    this.category = entry.category;
    this.retryable = options.retryable ?? entry.retryable;
    this.httpStatus = entry.httpStatus;
    this.remedy = entry.remedy;
    this.details = options.details ?? {};
    Object.defineProperty(this, marker, { value: true });
  }

  /** Tells whether a value is an error of this library, also one thrown by another copy of it. */
  static isInstance(value: unknown): value is MCPInfraError {
    return typeof value === 'object' && value !== null && marker in value;
  }

  /** The parts that may leave the process. */
  toJSON(): Record<string, unknown> {
    const { name, code, category, retryable, httpStatus, message, remedy, details } = this;
    return { name, code, category, retryable, httpStatus, message, remedy, details };
  }
}

/** The host or the user has to change something. */
export class ConfigError extends MCPInfraError {
  override readonly name = 'ConfigError';
}

/** Nobody has to act: the same call may succeed later. */
export class TransientError extends MCPInfraError {
  override readonly name = 'TransientError';
}

/** The library's authors have to act. */
export class InternalError extends MCPInfraError {
  override readonly name = 'InternalError';
}

const classes = { config: ConfigError, transient: TransientError, internal: InternalError } as const;

/** Makes the error of the class that the table gives a code. */
export function mcpError(code: ErrorCode, message: string, options?: MCPInfraErrorOptions): MCPInfraError {
  return new classes[errorCodes[code].category](code, message, options);
}
