/*
 * Secret values in memory: resolved from references when a copy starts, compared for rotation, and scrubbed out of everything that is told.
 * Rooms that start, reach or report on copies ask it.
 * It never stores a value and never decides what is a secret.
 */
import { withDeadline } from '../../async/deadline.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import { collectReferences } from '../../domain/json-spec/collect-references.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { scrubDocument } from '../../domain/secrets/scrub-document.js';
import {
  formatSecretReference,
  renderReferences,
  secretId,
  type SecretReference,
} from '../../domain/secrets/secret-reference.js';
import { Secret } from '../../domain/secrets/secret.js';
import type { CallOptions } from '../../ports/common.js';
import type { SecretBundle } from '../../ports/provider.js';
import { hasFingerprintKey } from './fingerprint-key.js';
import { GivenValues } from './given-values.js';
import { refuseForbidden } from '../context/scope-access.js';
import { SecretFingerprints } from './secret-fingerprints.js';
import type { ServiceContext } from '../context/service-context.js';

/** How long a backend that hangs keeps somebody from a copy that runs. */
const knowMs = 5_000;

type SourceContext = Pick<
  ServiceContext,
  'resolvers' | 'secretStore' | 'settings' | 'identity' | 'logger' | 'clock'
>;

/**
 * Resolves the references of a document, and remembers per instance which values it handed out, so that they can be
 * taken out of every text that comes back. Values are kept in memory only, as long as the instance is known here.
 */
export class SecretSource {
  readonly #context: SourceContext;
  readonly #given = new GivenValues();
  readonly #fingerprints: SecretFingerprints;
  /** What the newest copy of each instance was given, until its fingerprint is taken. */
  readonly #newest = new Map<
    string,
    { readonly revision: number; readonly values: ReadonlyMap<string, Secret> }
  >();

  constructor(context: SourceContext) {
    this.#context = context;
    this.#fingerprints = new SecretFingerprints(context);
  }

  /** How many instances values are kept of. */
  get size(): number {
    return new Set([...this.#given.ids, ...this.#newest.keys()]).size;
  }

  /**
   * Gives a copy the values of every reference in its document.
   *
   * @throws `SECRET_FORBIDDEN` naming the references it may not name, before anybody is asked; `SECRET_NOT_FOUND` naming
   * those nobody knows; the error of a backend that cannot tell
   */
  async resolve(
    record: Pick<InstanceRecord, 'id' | 'tenant'>,
    { revision, spec }: Pick<Copy, 'revision' | 'spec'>,
    options?: CallOptions,
  ): Promise<SecretBundle> {
    const values = await this.#ask(collectReferences(spec), record, options);
    // An older copy may ask again, while a newer one starts.
    if (values.size > 0 && revision >= (this.#newest.get(record.id)?.revision ?? 0))
      this.#newest.set(record.id, { revision, values });
    this.#given.add(record.id, revision, values);
    return {
      values: [...values.values()],
      render: (text) =>
        new Secret(renderReferences(text, (reference) => values.get(secretId(reference))?.reveal() ?? '')),
    };
  }

  /** The fingerprint of the values that the backends hold now. @throws as `resolve`, and without a key for it */
  async fingerprint(
    record: Pick<InstanceRecord, 'id' | 'tenant'>,
    request: CallOptions & { readonly spec: JsonSpec; readonly against: string | null },
  ): Promise<string> {
    const values = await this.#ask(collectReferences(request.spec), record, { signal: request.signal });
    return this.#fingerprints.of(record.id, values, request.against);
  }

  /** The fingerprint of the values that a copy was given since this was last asked, where one can be made. */
  async givenTo(instanceId: string, revision: number): Promise<string | undefined> {
    const newest = this.#newest.get(instanceId);
    if (newest?.revision !== revision) return undefined;
    this.#newest.delete(instanceId);
    if (!hasFingerprintKey(this.#context)) return undefined;
    return this.#fingerprints.of(instanceId, newest.values, null).catch((error: unknown) => {
      this.#context.logger.debug('secrets have no fingerprint', {
        instance: instanceId,
        error: messageOf(error),
      });
      return undefined;
    });
  }

  /**
   * Learns the values of a copy that another process has started, so that they can be taken out of what it says; asks
   * the backends once for each revision. One that is away does not keep anybody from the copy.
   *
   * @returns whether it learnt them now: whoever may have missed the end of the instance then has them forgotten
   */
  async know(
    record: Pick<InstanceRecord, 'id' | 'tenant'>,
    { revision, spec }: Pick<Copy, 'revision' | 'spec'>,
    options?: CallOptions,
  ): Promise<boolean> {
    const references = collectReferences(spec);
    if (this.#given.has(record.id, revision) || references.length === 0) return false;
    try {
      const values = await withDeadline((signal) => this.#ask(references, record, { signal }), {
        clock: this.#context.clock,
        timeoutMs: knowMs,
        signals: [options?.signal],
        expired: () => mcpError('SECRET_BACKEND_FAILED', 'The secret backends did not answer in time.'),
      });
      this.#given.add(record.id, revision, values);
      return true;
    } catch (error) {
      // What a backend says of them may quote them.
      const code = MCPInfraError.isInstance(error) ? error.code : 'INTERNAL';
      this.#context.logger.debug('secrets of a running instance are not known', {
        instance: record.id,
        code,
      });
      return false;
    }
  }

  /** Replaces the values an instance was given by `[secret]`. */
  scrub(instanceId: string, text: string): string {
    return this.#given.scrub(instanceId, text);
  }

  /** A JSON value whose texts hold no value the instance was given, such as what a server tells of itself. */
  scrubDocument<T>(instanceId: string, document: T): T {
    return scrubDocument(document, (text) => this.scrub(instanceId, text));
  }

  /** An error that holds no value the instance was given, its causes included. */
  scrubError<T>(instanceId: string, error: T): T | MCPInfraError {
    if (!MCPInfraError.isInstance(error)) return error;
    const texts = JSON.stringify([error.message, error.details, causesOf(error)]);
    if (this.scrub(instanceId, texts) === texts) return error;
    // The causes cannot be changed, so they are left out.
    const plain = JSON.parse(JSON.stringify(error.details)) as Record<string, unknown>;
    const details = this.scrubDocument(instanceId, plain);
    return mcpError(error.code, this.scrub(instanceId, error.message), {
      details,
      retryable: error.retryable,
    });
  }

  forget(instanceId: string): void {
    this.#given.forget(instanceId);
    this.#newest.delete(instanceId);
  }

  /** @see SecretFingerprints.marks */
  marks(...asked: Parameters<SecretFingerprints['marks']>): ReturnType<SecretFingerprints['marks']> {
    return this.#fingerprints.marks(...asked);
  }

  async #ask(
    references: readonly SecretReference[],
    { id: instanceId, tenant }: Pick<InstanceRecord, 'id' | 'tenant'>,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>> {
    const asker = { instanceId, tenant, principal: null };
    refuseForbidden(this.#context, references, asker);
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
