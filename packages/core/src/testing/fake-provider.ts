import type { ZodType } from 'zod';
import {
  type Clock,
  type ContainerSpec,
  containerSpecSchema,
  mcpError,
  type ProcessSpec,
  processSpecSchema,
  type Provider,
  systemClock,
  type UrlSpec,
  urlSpecSchema,
} from '../plugin.js';
import type { FakeProvider } from './fake-controls.js';
import { FakeRuntime } from './fake-runtime.js';
import type { TestTools } from './tools.js';

/** The documents of the types a fake can run. */
export interface FakeSpecs {
  readonly docker: ContainerSpec;
  readonly process: ProcessSpec;
  readonly url: UrlSpec;
}

/** Options of {@link fakeProvider}. */
export interface FakeProviderOptions<TType extends keyof FakeSpecs = 'docker'> {
  /** Whose documents it takes. @defaultValue docker */
  readonly type?: TType | undefined;
  /** What every server offers. @defaultValue no tools */
  readonly tools?: TestTools | undefined;
  /** The clock of the infra, where that is a manual one. @defaultValue the machine's */
  readonly clock?: Clock | undefined;
}

const schemas: { readonly [T in keyof FakeSpecs]: ZodType<FakeSpecs[T]> } = {
  docker: containerSpecSchema,
  process: processSpecSchema,
  url: urlSpecSchema,
};

/**
 * Makes a provider that runs every copy as an MCP server inside this process, without ports, images or children.
 *
 * It takes the documents of the real provider of its type; a health check over HTTP or TCP is made over MCP instead.
 * Each server has a copy's whole life: started again it has the environment and the logs it had, and it can crash, hang
 * and change its tools.
 *
 * @example
 * ```ts
 * const provider = fakeProvider({ tools: { greet: ({ name }) => `Hello ${String(name)}` } });
 * const infra = createMCPInfra({ providers: [provider] });
 * ```
 * @throws `INVALID_OPTIONS`
 */
export function fakeProvider<TType extends keyof FakeSpecs = 'docker'>(
  options: FakeProviderOptions<TType> = {},
): FakeProvider<FakeSpecs[TType]> {
  const known = ['type', 'tools', 'clock'];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw mcpError(
      'INVALID_OPTIONS',
      `fakeProvider() takes ${known.join(', ')}, not ${JSON.stringify(unknown)}.`,
    );
  }
  const { type = 'docker' as TType, tools = {}, clock = systemClock } = options;
  if (!Object.hasOwn(schemas, type)) {
    const message = `fakeProvider() takes as type ${Object.keys(schemas).join(', ')}, not ${JSON.stringify(type)}.`;
    throw mcpError('INVALID_OPTIONS', message);
  }
  const schema: ZodType<FakeSpecs[TType]> = schemas[type];
  return new FakeRuntime<FakeSpecs[TType]>({ type, schema, tools, clock });
}

/** Tells whether a provider is a fake. */
export function isFake(provider: Provider): provider is FakeProvider {
  return provider instanceof FakeRuntime;
}
