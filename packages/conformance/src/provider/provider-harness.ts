import type { ErrorCode, Provider } from '@mcpinfra/core/plugin';

/** What the suite needs to judge a provider; made anew for each case. */
export interface ProviderHarness {
  /**
   * Makes a provider that has not been opened. Called several times it gives several on one backend, as several
   * processes have them.
   */
  readonly provider: () => Provider;
  /** Documents of its type, as they are given to `instances.create()`. */
  readonly documents: ProviderDocuments;
  /** Makes a provider whose backend is away; left out where there is none that could be. */
  readonly unreachable?: (() => Provider) | undefined;
  /** The provider once more, as another process can make it; left out, what such a process leaves is not looked at. */
  readonly host?: HostModule | undefined;
  /** Ends what was made for the case. Every copy was destroyed before. */
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** How a process of its own, which the suite starts and kills, makes a provider on the backend of the harness. */
export interface HostModule {
  /**
   * The URL of a module that Node can import. It exports a function `provider` that is given the options and returns a
   * provider that has not been opened.
   */
  readonly module: string | URL;
  /** What that function is given, such as the address of an engine; JSON. */
  readonly options?: unknown;
}

/** The documents that a provider is tried with. Those left out leave out the cases that need them. */
export interface ProviderDocuments {
  /** A server that answers `initialize`, and ends when it is asked to. */
  readonly serving: object;
  /** A server that ends by itself. */
  readonly exiting?: ExitingDocument | undefined;
  /** A server that cannot be started. */
  readonly failing?: FailingDocument | undefined;
  /** A server that answers `initialize`, and does not end when it is asked to. */
  readonly stubborn?: object | undefined;
}

/**
 * A server that writes lines to its standard error, then a line with the value of its variable `CONFORMANCE_SECRET`, and
 * ends.
 */
export interface ExitingDocument {
  readonly document: object;
  /** What it writes before the secret, two lines or more. */
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** A document that its schema accepts and that cannot be run. */
export interface FailingDocument {
  readonly document: object;
  /** What the start is refused with. */
  readonly code: ErrorCode;
}
