import { randomUUID } from 'node:crypto';
import type { AgentAreaFailure, AgentAreaMessage, AgentAreaNews, AgentAreaStatusChange } from './message.js';
import { writeUnixSeconds, writeWholeSeconds } from './wire-time.js';

/** Writes a message as the platform's API does: `data` is a string of JSON in JSON. */
export function encodeMessage({ eventId, type, at, data }: AgentAreaMessage): string {
  const inner = { event_id: eventId, timestamp: writeUnixSeconds(at), event_type: type, data };
  return JSON.stringify({
    data: JSON.stringify(inner),
    headers: { correlation_id: randomUUID(), 'content-type': 'application/json' },
  });
}

/** Writes an `MCPServerInstanceStatusChanged` event as the platform's API reads it. */
export function encodeStatusChange(change: AgentAreaStatusChange): string {
  const { instanceId, name, status, containerId, url, error, at } = change;
  return nested('MCPServerInstanceStatusChanged', change, {
    instance_id: instanceId,
    name,
    status,
    container_id: orNothing(containerId),
    url: orNothing(url),
    error: orNothing(error),
    timestamp: at,
  });
}

/** Writes an `MCPServerInstanceError` event as the platform's API reads it. */
export function encodeFailure(failure: AgentAreaFailure): string {
  const { instanceId, name, error, at } = failure;
  return nested('MCPServerInstanceError', failure, { instance_id: instanceId, name, error, timestamp: at });
}

function nested(type: string, { eventId, at }: AgentAreaNews, data: object): string {
  const timestamp = writeWholeSeconds(at);
  return JSON.stringify({ data: { data, event_id: eventId, event_type: type, timestamp }, headers: {} });
}

function orNothing(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
