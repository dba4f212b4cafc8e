import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';

/** What decides who owns an instance. */
export interface OwnedKey {
  readonly id: string;
  readonly type: string;
  readonly placement: string | null;
}

/** Which instances this worker may act on. */
export interface Ownership {
  /**
   * The epoch under which this worker may change an instance now, or `null` when another worker owns it, its copies
   * live elsewhere, or the lease may have run out.
   */
  fence(record: OwnedKey): number | null;
  /** Where the copies of a type live for this worker; `null` while its backend is away. */
  placement(type: string): string | null;
  /** Why this worker can neither take nor renew leases at the moment; `undefined` while it can. */
  away(): MCPInfraError | undefined;
  /** Whether this worker may own an instance, as far as its id tells. */
  concerns(id: string): boolean;
}

/** Leases for what one process at a time may do, besides owning instances. */
export interface Claims {
  /** Asks for a lease until it is given back; resolves when it has been asked for, not when it is held. */
  claim(name: string): Promise<void>;
  holds(name: string): boolean;
  unclaim(name: string): Promise<void>;
}
