import { randomInt } from 'node:crypto';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { isRequestId, type RequestId, type Response } from '../json-rpc.js';

/** Who gets the answer to a call. */
export interface CallOwner {
  deliver(answer: Response): void;
  /** Told instead when no answer can come any more. */
  fail(ownId: RequestId, error: MCPInfraError): void;
}

/** A request that was sent to the server and has no answer yet. */
export interface PendingCall<Owner extends CallOwner = CallOwner> {
  /** The id towards the server: an integer, since servers exist that know no other. */
  readonly upstreamId: number;
  readonly owner: Owner;
  /** The id the owner gave it. */
  readonly ownId: RequestId;
  readonly method: string;
  /** The progress token the owner gave it; `0` and `""` are tokens. */
  readonly progressToken?: RequestId | undefined;
  /** The resource it is about, if any. */
  readonly subject?: unknown;
}

/** Gives the requests of many owners ids of their own towards one server, and finds them by either id. */
export class CallTable {
  readonly #byUpstream = new Map<number, PendingCall>();
  readonly #byOwner = new Map<CallOwner, Map<RequestId, PendingCall>>();
  #lastId: number;

  /** @param wasUsed - whether the server may still answer the calls of somebody before us */
  constructor(wasUsed: boolean) {
    // Far from where others began, so that an answer to their calls is never taken for one of ours; below 2^31 for long.
    this.#lastId = wasUsed ? randomInt(2 ** 20, 2 ** 30) : 0;
  }

  /** An id that no call has or will have. */
  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Adds a call under a new id; null when the owner has one with this id in flight. */
  add(call: Omit<PendingCall, 'upstreamId'>): PendingCall | null {
    const own = this.#byOwner.get(call.owner) ?? new Map<RequestId, PendingCall>();
    if (own.has(call.ownId)) return null;
    const pending = { ...call, upstreamId: this.newId() };
    this.#byUpstream.set(pending.upstreamId, pending);
    this.#byOwner.set(call.owner, own.set(call.ownId, pending));
    return pending;
  }

  /** The call with this id towards the server; it is also its progress token and subscription id. */
  find(upstreamId: unknown): PendingCall | undefined {
    // A server may give it back as text.
    return isRequestId(upstreamId) ? this.#byUpstream.get(Number(upstreamId)) : undefined;
  }

  /** The call an owner gave this id. */
  findOwn(owner: CallOwner, ownId: RequestId): PendingCall | undefined {
    return this.#byOwner.get(owner)?.get(ownId);
  }

  /** Takes a call out; false when it was out already. */
  remove(call: PendingCall): boolean {
    const own = this.#byOwner.get(call.owner);
    own?.delete(call.ownId);
    if (own?.size === 0) this.#byOwner.delete(call.owner);
    return this.#byUpstream.delete(call.upstreamId);
  }

  /** Whether anybody of this kind has a call in flight. */
  has(isMeant: (owner: CallOwner) => boolean): boolean {
    return [...this.#byOwner.keys()].some(isMeant);
  }

  /** The calls in flight, of one owner or of all. */
  list(owner?: CallOwner): readonly PendingCall[] {
    if (owner === undefined) return [...this.#byUpstream.values()];
    return [...(this.#byOwner.get(owner)?.values() ?? [])];
  }
}
