/** How a server is spoken to. */
export type Transport = 'stdio' | 'http';

/** The life of one server, in milliseconds; ended by hand after it has come back. */
export interface Life {
  /** From asking for it to its first answer. */
  readonly readyMs: number;
  /** From SIGKILL of its main process to being told that it ended. */
  readonly crashSeenMs: number;
  /** From SIGKILL of its main process to its first answer after it. */
  readonly crashServingMs: number;
}
