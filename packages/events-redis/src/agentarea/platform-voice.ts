import { randomUUID } from 'node:crypto';
import type { Event, MCPServerInstance, Timestamp } from '@mcpinfra/core/plugin';
import type { AgentAreaInfra } from './agent-area-infra.js';
import { encodeFailure, encodeStatusChange } from './encode-message.js';
import type { Outgoing, PlatformNotes } from './platform-notes.js';
import { announcementOf, type Announcement, phaseInWords, type toldTypes } from './status-words.js';

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
    await this.#tell(event.id, { instanceId, name }, told, { eventId: event.id, at: event.time });
  }

  /** Tells how an instance is now, where the platform was told something else last. */
  async tellPresent({
    id,
    name,
    status,
    statusDetail,
    url,
    resourceVersion,
  }: MCPServerInstance): Promise<void> {
    const announcement = phaseInWords({ status, ...statusDetail });
    if (announcement === null) return;
    const told = { ...announcement, ...(announcement.status === 'running' && url !== null && { url }) };
    const once = `present:${id}:${String(resourceVersion)}:${randomUUID()}`;
    await this.#tell(once, { instanceId: id, name }, { ...told, ifChanged: true }, newOrigin());
  }

  /** Answers a wish under a name that stands for it among all workers; what failed is told as an error before. */
  async say(once: string, subject: Subject, announcement: Announcement): Promise<void> {
    await this.#notes.tellOnce(once, this.#messages(subject, announcement, newOrigin()));
  }

  async #tell(once: string, subject: Subject, told: Announcement, origin: Origin): Promise<void> {
    const text = [told.status ?? '', told.url ?? '', told.error ?? ''].join('\n');
    const state = { instanceId: subject.instanceId, text, ifChanged: told.ifChanged === true };
    await this.#notes.tellOnce(once, this.#messages(subject, told, origin), state);
  }

  #messages({ instanceId, name }: Subject, { status, error, url }: Announcement, origin: Origin): Outgoing[] {
    const about = { ...origin, instanceId, name };
    const messages: Outgoing[] = [];
    if (error !== undefined)
      messages.push(this.#to('Error', encodeFailure({ ...about, eventId: randomUUID(), error })));
    // What runs on after a failed update has not failed.
    const why = status === 'failed' ? error : undefined;
    if (status !== undefined)
      messages.push(this.#to('StatusChanged', encodeStatusChange({ ...about, status, url, error: why })));
    return messages;
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

/** What a message says of itself. */
interface Origin {
  readonly eventId: string;
  readonly at: Timestamp;
}

function newOrigin(): Origin {
  return { eventId: randomUUID(), at: new Date().toISOString() };
}
