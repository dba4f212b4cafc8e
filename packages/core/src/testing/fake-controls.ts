import type { ErrorCode, JsonSpec, OwnedCopy, Provider } from '../plugin.js';
import type { CrashOptions } from './fake-copy.js';
import type { TestTools } from './tools.js';

/** A copy that a fake keeps. */
export interface FakeCopyState<TSpec extends JsonSpec = JsonSpec> extends OwnedCopy {
  readonly instanceName: string;
  /** The document it runs, with references. */
  readonly spec: TSpec;
}

/** Something that a fake was asked for and that has not been given back. */
export interface FakeHolding {
  readonly what: string;
  /** Whether it may be there while the infra runs. */
  readonly usual: boolean;
}

/** A provider that runs servers in this process, and what a test does to them. */
export interface FakeProvider<TSpec extends JsonSpec = JsonSpec> extends Provider<TSpec> {
  /** Every copy there is, ended ones included. */
  copies(): readonly FakeCopyState<TSpec>[];
  /** Channels, readers of logs and watchers that nobody has let go of. */
  holdings(): readonly FakeHolding[];
  /**
   * Ends the running copies of an instance as if by themselves. One that lives nowhere (placement `*`), which core cannot
   * restart, is started again at once, as by whoever runs it.
   *
   * @param instance - its id or name
   * @throws `INVALID_ARGUMENT` when none runs
   */
  crash(instance: string, options?: CrashOptions): void;
  /** Has the servers of an instance answer nothing, also those to come; what they are sent is kept. */
  hang(instance: string): void;
  /** Has the servers of an instance go on, with what they were sent meanwhile first. */
  unhang(instance: string): void;
  /** Has the next start of any copy fail. Called twice, the next two. */
  failNextStart(code: ErrorCode, message?: string): void;
  /** Gives every server, running or not, other tools, and has those that run say so. */
  changeTools(tools: TestTools): void;
}
