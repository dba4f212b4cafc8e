import { MCPInfraError, mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../domain/instance/instance-record.js';
import { collectReferences } from '../domain/json-spec/collect-references.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import { createScrubber } from '../domain/secrets/scrub.js';
import {
  formatSecretReference,
  renderReferences,
  secretId,
  type SecretReference,
} from '../domain/secrets/secret-reference.js';
import { Secret } from '../domain/secrets/secret.js';
import type { CallOptions } from '../ports/common.js';
import type { SecretBundle } from '../ports/provider.js';
import type { ServiceContext } from './service-context.js';

/**
 * Resolves the references of a document, and remembers per instance which values it handed out, so that they can be
 * taken out of every text that comes back. Values are kept in memory only, as long as the instance is known here.
 */
export class SecretSource {
  readonly #context: Pick<ServiceContext, 'resolvers'>;
  readonly #given = new Map<string, Set<string>>();
  readonly #scrubbers = new Map<string, (text: string) => string>();

  constructor(context: Pick<ServiceContext, 'resolvers'>) {
    this.#context = context;
  }

  /**
   * Gives the values of every reference in a document.
   *
   * @throws `SECRET_NOT_FOUND` naming the references nobody knows; the error of a backend that cannot tell
   */
  async resolve(
    record: Pick<InstanceRecord, 'id' | 'tenant'>,
    spec: JsonSpec,
    options?: CallOptions,
  ): Promise<SecretBundle> {
    const references = collectReferences(spec);
    const values = await this.#ask(
      references,
      { instanceId: record.id, tenant: record.tenant, principal: null },
      options,
    );
    const texts = [...values.values()].map((secret) => secret.reveal());
    // What was rotated away stays known: the copy before may still write it.
    const given = this.#given.get(record.id) ?? new Set<string>();
    for (const text of texts) given.add(text);
    this.#given.set(record.id, given);
    this.#scrubbers.set(record.id, createScrubber(given));
    return {
      values: [...values.values()],
      render: (text) =>
        new Secret(renderReferences(text, (reference) => values.get(secretId(reference))?.reveal() ?? '')),
    };
  }

  /** Replaces the values an instance was given by `[secret]`. */
  scrub(instanceId: string, text: string): string {
    return this.#scrubbers.get(instanceId)?.(text) ?? text;
  }

  /** An error that holds no value the instance was given, its causes included. */
  scrubError<T>(instanceId: string, error: T): T | MCPInfraError {
    if (!MCPInfraError.isInstance(error)) return error;
    const texts = JSON.stringify([error.message, error.details, causesOf(error)]);
    if (this.scrub(instanceId, texts) === texts) return error;
    // The causes cannot be changed, so they are left out.
    const details = JSON.parse(this.scrub(instanceId, JSON.stringify(error.details))) as Record<
      string,
      unknown
    >;
    return mcpError(error.code, this.scrub(instanceId, error.message), {
      details,
      retryable: error.retryable,
    });
  }

  forget(instanceId: string): void {
    this.#given.delete(instanceId);
    this.#scrubbers.delete(instanceId);
  }

  async #ask(
    references: readonly SecretReference[],
    asker: { readonly instanceId: string; readonly tenant: string; readonly principal: string | null },
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>> {
    const found = new Map<string, Secret>();
    let missing = references;
    for (const resolver of this.#context.resolvers) {
      if (missing.length === 0) break;
      const values = await resolver.resolve(missing, asker, options);
      for (const reference of missing) {
        const value = values.get(secretId(reference));
        if (value) found.set(secretId(reference), value);
      }
      missing = missing.filter((reference) => !found.has(secretId(reference)));
    }
    if (missing.length === 0) return found;
    const names = missing.map((reference) => formatSecretReference(reference));
    const asked = this.#context.resolvers.map((resolver) => resolver.name).join(', ');
    throw mcpError(
      'SECRET_NOT_FOUND',
      `No secret backend (asked: ${asked === '' ? 'none' : asked}) has ${names.join(', ')}.`,
      { details: { references: names } },
    );
  }
}

function causesOf(error: Error): string[] {
  const texts: string[] = [];
  for (let cause = error.cause; cause !== undefined && texts.length < 10;) {
    texts.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return texts;
}
