import { shardLease } from '../../domain/fleet/lease-names.js';
import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import { shardOf } from '../../domain/shard.js';
import type { CallOptions } from '../../ports/common.js';
import type { PeerLink } from '../../ports/peer-link.js';
import type { Dialed, LogLine, LogQuery } from '../../ports/provider.js';
import type { Lease } from '../../ports/store.js';
import type { ServiceContext } from '../context/service-context.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';

/** Owners change seldom, and one that has changed refuses. */
const leasesAreFreshMs = 1_000;

/** An owner that stops gives its leases back, and the next one has taken them within a renewal. */
const handOver = Object.freeze({ firstWaitMs: 100, longestMs: 7_000 });

/** What says that the instance may have another owner by now, or soon. */
const mayHaveMoved: readonly ErrorCode[] = [
  'NOT_OWNER',
  'PLACEMENT_UNREACHABLE',
  'CONNECTION_REFUSED',
  'CONNECTION_CLOSED',
  'REQUEST_TIMEOUT',
];

/** Reaches what other processes own: finds the owner of an instance by its lease and asks there. */
export class RemoteOwners {
  readonly #context: ServiceContext;
  readonly #peer: () => PeerLink | undefined;
  #leases: { readonly atMs: number; readonly read: Promise<readonly Lease[]> } | undefined;

  constructor(context: ServiceContext, peer: () => PeerLink | undefined) {
    this.#context = context;
    this.#peer = peer;
  }

  /** Opens a way to a copy's standard streams through its owner. @throws `NOT_OWNER` and as {@link PeerLink.openChannel} */
  async dial(record: InstanceRecord, { revision }: Copy, options: CallOptions = {}): Promise<Dialed> {
    const channel = await this.#atOwner(record, options, (peer, address) =>
      peer.openChannel(address, { instanceId: record.id, revision }, options),
    );
    return { kind: 'stdio', channel };
  }

  /** Reads a copy's logs at its owner. @throws as `dial` */
  async logs(
    record: InstanceRecord,
    query: LogQuery,
    options: CallOptions = {},
  ): Promise<AsyncIterable<LogLine>> {
    return this.#atOwner(record, options, (peer, address) =>
      peer.openLogs(address, { instanceId: record.id, query }, options),
    );
  }

  /** Asks the owner, and for a while whoever is it next. What was asked for has not been done when this rejects. */
  async #atOwner<T>(
    record: InstanceRecord,
    { signal = new AbortController().signal }: CallOptions,
    ask: (peer: PeerLink, address: string) => Promise<T>,
  ): Promise<T> {
    const peer = this.#peer();
    if (!peer) {
      const how =
        'To reach it from here, give this process and the workers createMCPInfra({ peer: { key } }) with the same key, and the workers peer.listen, too';
      throw notOwner(record, `${how}.`);
    }
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + handOver.longestMs;
    for (let waitMs = handOver.firstWaitMs; ; waitMs *= 2) {
      try {
        return await ask(peer, await this.#addressOf(record));
      } catch (error) {
        this.#leases = undefined;
        const again = MCPInfraError.isInstance(error) && error.retryable && mayHaveMoved.includes(error.code);
        if (!again || isAborted(signal) || clock.monotonicMs() + waitMs > untilMs) throw error;
      }
      await sleep(clock, waitMs, signal);
    }
  }

  async #addressOf(record: InstanceRecord): Promise<string> {
    const { placement } = record.runtime;
    const name = placement === null ? null : shardLease(placement, shardOf(record.id));
    const owner = (await this.#read()).find((lease) => lease.name === name);
    if (!owner) {
      throw mcpError(
        'PLACEMENT_UNREACHABLE',
        `No worker owns the instance "${record.name}" at the moment: none that reaches ${placement ?? 'its placement'} has its lease.`,
      );
    }
    if (owner.address !== null) return owner.address;
    throw notOwner(record, `That process (${owner.holderId}) does not listen: give it peer.listen.`, false);
  }

  async #read(): Promise<readonly Lease[]> {
    const atMs = this.#context.clock.monotonicMs();
    if (this.#leases === undefined || atMs - this.#leases.atMs > leasesAreFreshMs) {
      this.#leases = { atMs, read: this.#context.store.leases.list() };
    }
    return this.#leases.read;
  }
}

function notOwner(record: InstanceRecord, how: string, retryable = true): MCPInfraError {
  const what = `The instance "${record.name}" runs under another process, which alone opens its streams and logs.`;
  return mcpError('NOT_OWNER', `${what} ${how}`, { retryable });
}
