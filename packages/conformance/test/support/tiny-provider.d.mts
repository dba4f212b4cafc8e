import type { Provider } from '@mcpinfra/core/plugin';

/** What is wrong with a provider that is right otherwise, and where it keeps what it knows. */
export interface TinyOptions {
  readonly folder: string;
  readonly server: string;
  readonly detached: boolean;
  readonly copiesEndWithProcess: boolean;
  readonly argv: boolean;
}

export function provider(options: TinyOptions): Provider;
