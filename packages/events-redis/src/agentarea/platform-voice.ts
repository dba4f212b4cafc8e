import { randomUUID } from 'node:crypto';
import type { Event, Timestamp } from '@mcpinfra/core/plugin';
import type { AgentAreaInfra } from './agent-area-infra.js';
import { encodeFailure, encodeStatusChange } from './encode-message.js';
import type { Outgoing, PlatformNotes } from './platform-notes.js';
import { announcementOf, type Announcement, type toldTypes } from './status-words.js';

interface Subject {
  readonly instanceId: string;
  readonly name: string;
}

/** Tells the platform how its instances are: each thing once, by whichever worker. */
export class PlatformVoice {
  readonly #infra: AgentAreaInfra;
  readonly #notes: PlatformNotes;
  readonly #channelPrefix: string;

  constructor(parts: {
    readonly infra: AgentAreaInfra;
    readonly notes: PlatformNotes;
    readonly channelPrefix: string;
  }) {
    this.#infra = parts.infra;
    this.#notes = parts.notes;
    this.#channelPrefix = parts.channelPrefix;
  }

  /** Tells what an event of the fleet means for the platform, if anything. */
  async tell(event: Event<(typeof toldTypes)[number]>): Promise<void> {
    const announcement = announcementOf(event);
    if (announcement === null) return;
    const { instanceId, name } = event.data;
    const url = announcement.status === 'running' ? await this.#publicUrl(instanceId) : undefined;
    const told = { ...announcement, url: url ?? announcement.url };
    await this.say(event.id, { instanceId, name }, told, { eventId: event.id, at: event.time });
  }

  /** Tells under a name that stands for it among all workers; what failed is told as an error before. */
  async say(
    once: string,
    { instanceId, name }: Subject,
    {
      status,
      error,
      url,
    }: Omit<Announcement, 'status'> & { readonly status: Announcement['status'] | undefined },
    origin: { readonly eventId: string; readonly at: Timestamp } = newOrigin(),
  ): Promise<void> {
    const about = { ...origin, instanceId, name };
    const messages: Outgoing[] = [];
    if (error !== undefined)
      messages.push(this.#to('Error', encodeFailure({ ...about, eventId: randomUUID(), error })));
    if (status !== undefined)
      messages.push(this.#to('StatusChanged', encodeStatusChange({ ...about, status, url, error })));
    await this.#notes.tellOnce(once, messages);
  }

  #to(what: 'Error' | 'StatusChanged', payload: string): Outgoing {
    return { channel: `${this.#channelPrefix}MCPServerInstance${what}`, payload };
  }

  /** The address at the gateway, where the host has one. */
  async #publicUrl(instanceId: string): Promise<string | undefined> {
    try {
      return (await this.#infra.instances.get(instanceId)).url ?? undefined;
    } catch {
      // It is gone already, or the store is away: the endpoint is an address as well.
      return undefined;
    }
  }
}

function newOrigin(): { readonly eventId: string; readonly at: Timestamp } {
  return { eventId: randomUUID(), at: new Date().toISOString() };
}
