import assert from 'node:assert/strict';
import {
  parseSecretReference,
  Secret,
  type SecretContext,
  type SecretReference,
  type SecretResolver,
  type SecretStore,
} from '@mcpinfra/core/plugin';
import { within } from '../within.js';

/** What one case works on. */
export interface SecretResolverHarness {
  /** A resolver or store that is not open yet, on a backend that no other case uses at this time. */
  readonly resolver: SecretResolver;
  /**
   * Makes a second one on the same backend, not open yet: what a later process would have. A durable store needs it; leave
   * it out when there is no such thing.
   */
  readonly another?: (() => SecretResolver) | undefined;
  /** Makes one whose backend is away or refuses it, not open yet. Leave it out when there is none that could be. */
  readonly unreachable?: (() => SecretResolver) | undefined;
  /** Ends the backend. The resolvers have been closed. */
  readonly dispose?: (() => Promise<void>) | undefined;
}

/** Nobody in particular asks. */
const nobody: SecretContext = { instanceId: '', tenant: '', principal: null };

/** The resolver of one case and what it is asked. */
export class SecretsBench {
  readonly patienceMs: number;
  readonly #harness: SecretResolverHarness;
  readonly #resolvers = new Set<SecretResolver>();

  constructor(harness: SecretResolverHarness, patienceMs: number) {
    this.#harness = harness;
    this.patienceMs = patienceMs;
  }

  get resolver(): SecretResolver {
    return this.#harness.resolver;
  }

  get harness(): SecretResolverHarness {
    return this.#harness;
  }

  /** The store, in a case that is only for stores. */
  get store(): SecretStore {
    const { resolver } = this.#harness;
    assert.ok(isStore(resolver), 'the resolver has no put(), delete() and deleteScope()');
    return resolver;
  }

  /** Opens a resolver, which is closed when the case has ended. */
  async open<T extends SecretResolver>(resolver: T): Promise<T> {
    this.#resolvers.add(resolver);
    await this.within('open()', resolver.open?.() ?? Promise.resolve());
    return resolver;
  }

  async resolve(
    ids: readonly string[],
    { by = this.resolver, context = nobody }: { by?: SecretResolver; context?: SecretContext } = {},
  ): Promise<ReadonlyMap<string, Secret>> {
    return this.within('resolve()', by.resolve(ids.map(reference), context));
  }

  /** The values themselves, by id. */
  async reveal(ids: readonly string[], by?: SecretResolver): Promise<Readonly<Record<string, string>>> {
    const found = await this.resolve(ids, by && { by });
    return Object.fromEntries([...found].map(([id, secret]) => [id, secret.reveal()]));
  }

  /** The keys under a scope. */
  async list(scope: string): Promise<readonly string[]> {
    const listed = await this.within('list()', this.store.list?.(scope) ?? Promise.resolve([]));
    for (const one of listed) assert.equal(one.scope, scope, 'list() gave a reference of another scope');
    return listed.map(({ key }) => key);
  }

  /** Writes values, by id. */
  async put(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [id, value] of Object.entries(values))
      await this.within('put()', this.store.put(reference(id), new Secret(value)));
  }

  /** Waits for what must settle. */
  async within<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(this.patienceMs, what, promise);
  }

  async dispose(): Promise<void> {
    const closing = [...this.#resolvers].map((one) =>
      this.within('close()', one.close?.() ?? Promise.resolve()),
    );
    // That closing works is a requirement of its own; here it must not hide why a case failed.
    await Promise.allSettled(closing);
    await this.#harness.dispose?.();
  }
}

/** Tells whether a resolver can also be written to. */
export function isStore(resolver: SecretResolver): resolver is SecretStore {
  return 'put' in resolver && 'delete' in resolver && 'deleteScope' in resolver;
}

/** The reference of an id `<scope>:<KEY>`. */
export function reference(id: string): SecretReference {
  const parsed = parseSecretReference(`secret_ref:${id}`);
  assert.ok(parsed, `${JSON.stringify(id)} is no "<scope>:<KEY>"`);
  return parsed;
}
