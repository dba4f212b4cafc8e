import type { Event, InstanceStatus } from '@mcpinfra/core/plugin';
import type { AgentAreaStatus } from './message.js';

/** What the platform is to be told of an instance. */
export interface Announcement {
  readonly status: AgentAreaStatus;
  /** Why it failed, with what to do about it. */
  readonly error?: string | undefined;
  /** Where it is reached, when it runs. */
  readonly url?: string | undefined;
}

/** The events that may have to be told. */
export const toldTypes = ['MCPServerInstanceCreated', 'MCPServerInstanceStatusChanged'] as const;

// The platform has no word for waiting, asleep or on the way out; it hears of those when something follows.
const words: Readonly<Record<InstanceStatus, AgentAreaStatus | null>> = {
  pending: null,
  pulling: 'starting',
  starting: 'starting',
  running: 'running',
  unhealthy: 'failed',
  failed: 'failed',
  stopping: null,
  stopped: 'stopped',
  idle: 'stopped',
  deleting: null,
};

/** Says in the platform's words what an event means, or `null` where it has none or has been told so already. */
export function announcementOf(event: Event<(typeof toldTypes)[number]>): Announcement | null {
  if (event.type === 'MCPServerInstanceCreated')
    return { status: event.data.desiredState === 'running' ? 'validating' : 'stopped' };
  const { from, to, reason, message, endpoint } = event.data;
  const status = words[to];
  if (status === null || status === words[from]) return null;
  if (status === 'failed') return { status, error: failureText(reason, message) };
  return status === 'running' ? { status, url: endpoint?.url } : { status };
}

/** A failure as one text: the code for machines, the sentence for people. */
export function failureText(code: string, message: string): string {
  return [code, message].filter((part) => part !== '').join(': ');
}
