import { AssertionError } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  type CopyRef,
  createScrubber,
  type Logger,
  type JsonSpec,
  type OwnedCopy,
  type Provider,
  renderReferences,
  type RunRequest,
  Secret,
} from '@mcpinfra/core/plugin';
import { within } from '../within.js';
import { boundedProvider } from './bounded-provider.js';
import type { ProviderDocuments, ProviderHarness } from './provider-harness.js';

/** The variable every copy is given, a secret. */
export const secretVariable = 'CONFORMANCE_SECRET';

/** Whose a provider's copies are. */
export interface Ownership {
  readonly fleet: string;
  readonly storeId: string;
}

/** How long a case waits for what must happen. */
export interface PatienceOptions {
  readonly patienceMs: number;
}

/** A request, and how often its environment was asked for. */
export interface CountedRequest extends RunRequest {
  readonly asked: () => number;
}

/** A provider on the bench: opened for a fleet of its own, with what a case needs to try it. */
export class ProviderBench {
  readonly provider: Provider;
  readonly placement: string;
  readonly documents: ProviderDocuments;
  readonly harness: ProviderHarness;
  readonly owner: Ownership;
  readonly secret: string;
  /** Everything that was logged, as text. */
  readonly logged: string[];
  readonly #patienceMs: number;
  readonly #opened: Provider[];
  readonly #copies: CopyRef[] = [];

  private constructor(
    harness: ProviderHarness,
    opened: Pick<ProviderBench, 'provider' | 'placement' | 'owner' | 'logged'> & PatienceOptions,
  ) {
    this.harness = harness;
    this.documents = harness.documents;
    this.provider = opened.provider;
    this.placement = opened.placement;
    this.owner = opened.owner;
    this.logged = opened.logged;
    this.#patienceMs = opened.patienceMs;
    this.secret = `canary-${randomUUID()}`;
    this.#opened = [opened.provider];
  }

  static async open(harness: ProviderHarness, { patienceMs }: PatienceOptions): Promise<ProviderBench> {
    const owner = { fleet: `conformance-${randomUUID()}`, storeId: `store-${randomUUID()}` };
    const logged: string[] = [];
    const provider = boundedProvider(harness.provider(), patienceMs);
    try {
      await provider.open({ ...owner, logger: loggerInto(logged) });
      const placement = await provider.placement();
      return new ProviderBench(harness, { provider, placement, owner, logged, patienceMs });
    } catch (error) {
      await Promise.allSettled([provider.close()]);
      await harness.dispose?.();
      throw error;
    }
  }

  /** Whether its copies live nowhere, so that core takes its own row for what is true of them. */
  get livesNowhere(): boolean {
    return this.placement === '*';
  }

  /** Opens another provider on the same backend, as another process would. */
  async another(change: Partial<Ownership> = {}): Promise<Provider> {
    const provider = boundedProvider(this.harness.provider(), this.#patienceMs);
    await provider.open({ ...this.owner, ...change, logger: loggerInto(this.logged) });
    this.#opened.push(provider);
    return provider;
  }

  /** A request for a copy of an instance of its own, unless it is told whose. */
  request(
    document: object = this.documents.serving,
    change: Partial<Pick<RunRequest, 'copy' | 'environment' | 'onProgress'>> = {},
  ): CountedRequest {
    const copy = change.copy ?? newCopy();
    this.#copies.push(copy);
    let asked = 0;
    const environment = change.environment ?? (async () => ({ [secretVariable]: new Secret(this.secret) }));
    return {
      copy,
      spec: withSecret(this.provider.specSchema.parse(document)),
      instanceName: `conformance ${copy.slug}`,
      labels: {},
      environment: async () => {
        asked += 1;
        return environment();
      },
      secrets: async () => ({
        render: (text) => new Secret(renderReferences(text, () => this.secret)),
        values: [new Secret(this.secret)],
      }),
      onProgress: change.onProgress ?? (() => undefined),
      asked: () => asked,
    };
  }

  /** Waits for a promise, but not for ever. */
  within<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(this.#patienceMs, what, promise);
  }

  /** Asks again until there is an answer, and fails when there is none in time. */
  async until<T>(what: string, question: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const deadline = performance.now() + this.#patienceMs;
    for (;;) {
      const answer = await question();
      if (answer !== undefined) return answer;
      if (performance.now() > deadline)
        throw new AssertionError({ message: `${what}: not so within ${this.#patienceMs} ms` });
      await wait(10);
    }
  }

  /** What the list shows of the copies of an instance, by revision. */
  async listed({ instanceId }: CopyRef, by: Provider = this.provider): Promise<readonly OwnedCopy[]> {
    const ours = (await by.list()).filter(({ copy }) => copy.instanceId === instanceId);
    return ours.sort((a, b) => a.copy.revision - b.copy.revision);
  }

  /** Whether something shows the secret, in clear or in a form it is easily read from. */
  shows(something: unknown): boolean {
    const text = typeof something === 'string' ? something : textOf(something);
    return createScrubber([this.secret])(text) !== text;
  }

  /** Removes every copy that was asked for and closes every provider. */
  async dispose(): Promise<void> {
    // What fails here has failed in a case of its own, or was already let go of by this one.
    for (const provider of this.#opened) {
      const removals = this.#copies.map((copy) => provider.destroy(copy, { graceMs: 0 }));
      await Promise.allSettled(removals);
    }
    await Promise.allSettled(this.#opened.map((provider) => provider.close()));
    await this.harness.dispose?.();
  }
}

/** Completes the environment of a document, as core does: what is a secret is there as a reference. */
function withSecret(spec: JsonSpec): JsonSpec {
  return {
    ...spec,
    environment: { ...spec.environment, [secretVariable]: `secret_ref:conformance:${secretVariable}` },
  };
}

/** A copy of an instance that nobody else has. */
export function newCopy(): CopyRef {
  const hex = randomUUID().slice(0, 8);
  return { instanceId: randomUUID(), revision: 1, slug: `conformance-${hex}` };
}

/** A logger that writes all it is told into lines. */
export function loggerInto(lines: string[]): Logger {
  const record = (message: string, fields?: object): void => {
    lines.push(textOf({ message, fields }));
  };
  return { debug: record, info: record, warn: record, error: record };
}

/** All there is to see of something, as a printer of objects and as JSON. */
function textOf(something: unknown): string {
  const printed = inspect(something, { depth: 20, showHidden: true, maxStringLength: null });
  try {
    return `${printed}\n${JSON.stringify(something)}`;
  } catch {
    // Not every thing can be JSON.
    return printed;
  }
}
