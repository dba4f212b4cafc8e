/**
 * For tests of hosts and plugins: a whole infra in one process, with a clock that a test moves.
 *
 * @packageDocumentation
 */
export {
  createTestInfra,
  type OneFake,
  type FakeOf,
  type TestInfra,
  type TestInfraOptions,
} from './create-test-infra.js';
export type { FakeCopyState, FakeHolding, FakeProvider } from './fake-controls.js';
export type { CrashOptions } from './fake-copy.js';
export { fakeProvider, type FakeProviderOptions, type FakedProvider } from './fake-provider.js';
export { manualClock, type ManualClock } from './manual-clock.js';
export { type RecordedLine, recordingLogger } from './recording-logger.js';
export type { TestTool, TestTools, ToolContext, ToolHandler } from './tools.js';
