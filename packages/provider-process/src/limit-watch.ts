import { Recurring, systemClock } from '@mcpinfra/core/plugin';
import { copyKey } from './copy-marks.js';
import { readMarks, readPrivateBytes, readProcess, walkPids } from './process-table.js';
import type { Verdict } from './exit-verdict.js';

const intervalMs = 1_000;
// A process keeps its marks and its session, so it is asked for them once; a pid may be given anew, so not for ever.
const forgetAfterTicks = 30;

/** A copy whose use is bounded. */
export interface Limited {
  /** See {@link copyKey}. */
  readonly key: string;
  readonly session: number;
  readonly memoryLimit: string;
  readonly memoryBytes: number;
  readonly pids: number;
  readonly onExceeded: (verdict: Verdict) => void;
}

/**
 * Looks each second at what copies use, all their processes together, and reports those beyond their limits.
 *
 * Looking is all an ordinary process may do: what is faster than a second goes unseen.
 */
export class LimitWatch {
  readonly #limited = new Set<Limited>();
  readonly #copyOf = new Map<number, Limited | undefined>();
  #ticks = 0;
  #looking: Recurring | undefined;

  /** Watches a copy until the returned function is called. */
  add(limited: Limited): () => void {
    this.#limited.add(limited);
    this.#looking ??= this.#begin();
    return () => {
      this.#limited.delete(limited);
      this.#copyOf.clear();
      if (this.#limited.size > 0) return;
      void this.#looking?.stop();
      this.#looking = undefined;
    };
  }

  #begin(): Recurring {
    const looking = new Recurring({
      clock: systemClock,
      retryMs: intervalMs,
      work: async () => {
        await this.#look();
        return intervalMs;
      },
      // What could not be read is read at the next look.
      failed: () => undefined,
    });
    void looking.now();
    return looking;
  }

  async #look(): Promise<void> {
    if (this.#ticks++ % forgetAfterTicks === 0) this.#copyOf.clear();
    const byKey = new Map([...this.#limited].map((limited) => [limited.key, limited]));
    const bySession = new Map([...this.#limited].map((limited) => [limited.session, limited]));
    const uses = new Map<Limited, { bytes: number; pids: number }>();
    for await (const pid of walkPids()) {
      if (this.#copyOf.has(pid) && this.#copyOf.get(pid) === undefined) continue;
      const entry = readProcess(pid);
      if (!entry) continue;
      const marks = this.#copyOf.has(pid) ? undefined : readMarks(pid);
      const limited =
        this.#copyOf.get(pid) ?? bySession.get(entry.session) ?? (marks && byKey.get(copyKey(marks)));
      this.#copyOf.set(pid, limited);
      if (!limited) continue;
      const use = uses.get(limited) ?? { bytes: 0, pids: 0 };
      uses.set(limited, { bytes: use.bytes + readPrivateBytes(pid), pids: use.pids + entry.threads });
    }
    for (const [limited, use] of uses) judge(limited, use);
  }
}

function judge(limited: Limited, use: { readonly bytes: number; readonly pids: number }): void {
  if (use.bytes > limited.memoryBytes) {
    const megabytes = Math.ceil(use.bytes / 1024 ** 2);
    limited.onExceeded({
      code: 'OUT_OF_MEMORY',
      sentence: `Ended: ${megabytes}m of memory are more than resources.memory_limit ${limited.memoryLimit}; raise it, or give the server less to do.`,
    });
  } else if (use.pids > limited.pids) {
    limited.onExceeded({
      code: 'PIDS_LIMIT',
      sentence: `Ended: ${use.pids} processes and threads are more than resources.pids_limit ${limited.pids}; raise it, or give the server less to do.`,
    });
  }
}
