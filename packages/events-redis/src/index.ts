/**
 * Carries the events of `@mcpinfra/core` between processes over Redis Streams.
 *
 * @packageDocumentation
 */
export { redisEvents } from './redis-events.js';
export type { RedisEventsOptions, RedisEventsPlace, RedisEventsSettings } from './redis-events-options.js';
export {
  agentAreaBridge,
  type AgentAreaBridge,
  type AgentAreaBridgeHealth,
  type AgentAreaPart,
} from './agentarea/agent-area-bridge.js';
export { agentAreaCodec, type AgentAreaCodec } from './agentarea/agent-area-codec.js';
export type { AgentAreaInfra, BridgeCallOptions } from './agentarea/agent-area-infra.js';
export type { AgentAreaBridgeOptions, AgentAreaBridgeSettings } from './agentarea/agent-area-options.js';
export type {
  AgentAreaDecoded,
  AgentAreaFailure,
  AgentAreaMessage,
  AgentAreaNews,
  AgentAreaRefusal,
  AgentAreaRefusalReason,
  AgentAreaStatus,
  AgentAreaStatusChange,
} from './agentarea/message.js';
