import type { Endpoint, ErrorCode, Event, InstanceStatus } from '@mcpinfra/core/plugin';
import type { AgentAreaStatus } from './message.js';

/** What the platform is to be told of an instance. */
export interface Announcement {
  /** Absent where only something about it is told, and its status stays what was told before. */
  readonly status?: AgentAreaStatus | undefined;
  /** What failed, with what to do about it. */
  readonly error?: string | undefined;
  /** Where it is reached, when it runs. */
  readonly url?: string | undefined;
  /** Nothing happened by itself: it is told only where the platform was told something else last. */
  readonly ifChanged?: true | undefined;
}

/** How an instance is, as its row and the events about it say. */
export interface Phase {
  readonly status: InstanceStatus;
  readonly reason: ErrorCode | '';
  readonly message: string;
  readonly endpoint: Endpoint | null;
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
  const { from, to, ...rest } = event.data;
  const now = phaseInWords({ status: to, ...rest });
  if (now === null || words[to] !== words[from]) return now;
  // The same word again, with something new: another address, or what it has to say.
  const isNews = words[to] === 'running' || now.status !== words[to];
  return isNews ? { ...now, ifChanged: true } : null;
}

/** Says in the platform's words how an instance is, or `null` where it has none for it. */
export function phaseInWords({ status, reason, message, endpoint }: Phase): Announcement | null {
  const word = words[status];
  const error = failureText(reason, message);
  if (reason === 'PLACEMENT_UNREACHABLE') return word === 'running' ? { status: 'failed', error } : { error };
  if (word === null) return null;
  if (word === 'failed') return { status: word, error };
  if (word !== 'running') return { status: word };
  const update = reason === 'UPDATE_ROLLED_BACK' ? { error } : {};
  return { status: word, url: endpoint?.url, ...update };
}

/** A failure as one text: the code for machines, the sentence for people. */
export function failureText(code: string, message: string): string {
  return [code, message].filter((part) => part !== '').join(': ');
}
