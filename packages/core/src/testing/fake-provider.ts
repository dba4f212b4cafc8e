import {
  type Clock,
  type ContainerSpec,
  containerSpecSchema,
  type JsonSpec,
  mcpError,
  type Provider,
  systemClock,
} from '../plugin.js';
import type { FakeProvider } from './fake-controls.js';
import { FakeRuntime } from './fake-runtime.js';
import type { TestTools } from './tools.js';

/** The provider whose place a fake takes, or what of it counts. */
export type FakedProvider<TSpec extends JsonSpec> = Pick<
  Provider<TSpec>,
  'type' | 'specSchema' | 'copiesEndWithProcess' | 'runsImages'
>;

/** Options of {@link fakeProvider}. */
export interface FakeProviderOptions<TSpec extends JsonSpec = ContainerSpec> {
  /** Whose documents it takes, such as `processProvider()`. @defaultValue one that runs containers, of type docker */
  readonly of?: FakedProvider<TSpec> | undefined;
  /** Where its copies live; `*` for servers that run elsewhere. @defaultValue `fake:` and the type */
  readonly placement?: string | undefined;
  /** What every server offers. @defaultValue no tools */
  readonly tools?: TestTools | undefined;
  /** The clock of the infra, where that is a manual one. @defaultValue the machine's */
  readonly clock?: Clock | undefined;
}

const containers: FakedProvider<ContainerSpec> = {
  type: 'docker',
  specSchema: containerSpecSchema,
  runsImages: true,
};

/**
 * Makes a provider that runs every copy as an MCP server inside this process, without ports, images or children.
 *
 * It takes the documents of the real provider; a health check over HTTP or TCP is made over MCP instead. Each server has a
 * copy's whole life: started again it has the environment and the logs it had, and it can crash, hang and change its tools.
 *
 * @example
 * ```ts
 * const provider = fakeProvider({ tools: { greet: ({ name }) => `Hello ${String(name)}` } });
 * const infra = createMCPInfra({ providers: [provider] });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function fakeProvider(options?: FakeProviderOptions): FakeProvider<ContainerSpec>;
export function fakeProvider<TSpec extends JsonSpec>(
  options: FakeProviderOptions<TSpec> & { readonly of: FakedProvider<TSpec> },
): FakeProvider<TSpec>;
export function fakeProvider(
  options: FakeProviderOptions & { readonly of?: FakedProvider<JsonSpec> | undefined } = {},
): FakeProvider {
  const known = ['of', 'placement', 'tools', 'clock'];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw mcpError(
      'INVALID_OPTIONS',
      `fakeProvider() takes ${known.join(', ')}, not ${JSON.stringify(unknown)}.`,
    );
  }
  const { of = containers, tools = {}, clock = systemClock } = options;
  return new FakeRuntime({ of, tools, clock, placement: options.placement ?? `fake:${of.type}` });
}

/** Tells whether a provider is a fake. */
export function isFake(provider: Provider): provider is FakeProvider {
  return provider instanceof FakeRuntime;
}
