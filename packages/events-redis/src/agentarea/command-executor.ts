import {
  invalidSpec,
  mcpError,
  MCPInfraError,
  normaliseError,
  type Logger,
  type MCPServerInstance,
} from '@mcpinfra/core/plugin';
import type { AgentAreaInfra } from './agent-area-infra.js';
import type { PlatformNotes } from './platform-notes.js';
import type { PlatformVoice } from './platform-voice.js';
import { replacingPatch } from './replacing-patch.js';
import { failureText } from './status-words.js';
import { translateSpec } from './translate-spec.js';
import type { WireCommand } from './wire-command.js';

interface Parts {
  readonly infra: AgentAreaInfra;
  readonly notes: PlatformNotes;
  readonly voice: PlatformVoice;
  readonly logger: Logger;
  /** The labels of what the bridge makes. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether instances that the bridge did not make are its business, too. */
  readonly everyInstance: boolean;
  readonly legacySecretScope: string | null;
}

type Create = Extract<WireCommand, { kind: 'create' }>;
type Update = Extract<WireCommand, { kind: 'update' }>;

const actor = 'agentarea';
/** Says by which wish an instance was made. */
export const eventLabel = 'agentarea.event';

/**
 * Does what a message asks for. Every command may come again, by another worker or in another order, and is done once.
 *
 * Resolves when the wish is durable, and also when it was refused and the platform was told so; rejects for what may
 * succeed later.
 */
export class CommandExecutor {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Makes an instance that is still to be created, or is just being so, unwanted. Goes before the turn of a deletion. */
  async announce(command: WireCommand): Promise<void> {
    if (command.kind === 'delete') await this.#parts.notes.bury(command.instanceId, command.at);
  }

  async execute(command: WireCommand, signal: AbortSignal): Promise<void> {
    const { instances } = this.#parts.infra;
    const { instanceId: id } = command;
    const options = { signal, actor };
    if (command.kind === 'create') return this.#create(command, signal);
    const current = await this.#existing(id, signal);
    if (current === null || !this.#isOurs(current)) {
      const about = { instanceId: id, command: command.kind };
      this.#parts.logger.info('the platform speaks of an instance that it has not made here', about);
      return;
    }
    if (command.kind === 'delete') return instances.delete(id, options);
    try {
      if (command.kind === 'update') await this.#update(command, current, signal);
      else await instances[command.kind](id, options);
    } catch (error) {
      // What runs goes on as it was.
      await this.#refuse({ ...command, name: current.name }, error, undefined);
    }
  }

  async #create(command: Create, signal: AbortSignal): Promise<void> {
    const { infra, notes, logger, labels } = this.#parts;
    const { instanceId: id, name, at, eventId } = command;
    if (await notes.isBuriedSince(id, at)) {
      logger.info('an instance of the platform is not made: it was deleted meanwhile', { instanceId: id });
      // A worker that died before it looked again may have made it all the same.
      const existing = await this.#existing(id, signal);
      if (existing?.labels[eventLabel] === eventId) await infra.instances.delete(id, { signal, actor });
      return;
    }
    if (await notes.isFulfilled(eventId)) {
      logger.info('an instance of the platform is not made again: it was deleted meanwhile, or is there', {
        instanceId: id,
      });
      return;
    }
    try {
      const jsonSpec = this.#translate(command, name);
      const serverSpecId = await this.#knownServer(command, signal);
      const input = { id, name, serverSpecId, jsonSpec, labels: { ...labels, [eventLabel]: eventId } };
      await infra.instances.create(input, { signal, actor });
    } catch (error) {
      const existing = await this.#existing(id, signal);
      if (existing === null) return this.#refuseCreate(command, error, signal);
      // The same wish from another worker or a repetition; but one for what is still going away has to wait for that.
      if (existing.status === 'deleting') throw error;
      logger.debug('an instance of the platform is there already', { instanceId: id });
      await notes.fulfil(eventId);
      return;
    }
    // A worker that deleted between the look and the create has found nothing to delete.
    if (await notes.isBuriedSince(id, at)) await infra.instances.delete(id, { signal, actor });
  }

  async #refuseCreate(command: Create, error: unknown, signal: AbortSignal): Promise<void> {
    if (codeOf(error) !== 'ALREADY_EXISTS') return this.#refuse(command, error, 'failed');
    const { name } = command;
    const holders = await this.#parts.infra.instances.list({ name, limit: 1 }, { signal });
    const [holder] = holders.items;
    // Not there and not to be had: the id is another tenant's.
    if (holder === undefined && isAboutId(error)) return this.#refuse(command, error, 'failed');
    // The name is free in a moment.
    if (holder === undefined || holder.status === 'deleting') throw error;
    const message = `An instance named ${JSON.stringify(name)} exists already, with the id ${holder.id}. Choose another name, or delete that one.`;
    return this.#refuse(command, mcpError('ALREADY_EXISTS', message), 'failed');
  }

  async #update(command: Update, current: MCPServerInstance, signal: AbortSignal): Promise<void> {
    const jsonSpec = replacingPatch({ ...current.jsonSpec }, this.#translate(command, current.name));
    await this.#parts.infra.instances.update(current.id, { jsonSpec }, { signal, actor });
  }

  /** @throws `INVALID_SPEC` */
  #translate({ instanceId, jsonSpec }: Create | Update, instance: string) {
    const { legacySecretScope, logger } = this.#parts;
    const translated = translateSpec(jsonSpec, { instanceId, legacySecretScope });
    if (!translated.ok) throw invalidSpec('The instance', translated.issues);
    for (const note of translated.notes)
      logger.info('a document of the platform was changed', { instance, instanceId, note });
    return translated.jsonSpec;
  }

  /** The server it is made of, where there is one of that id here; an instance can stand alone. */
  async #knownServer({ serverSpecId, name }: Create, signal: AbortSignal): Promise<string | null> {
    if (serverSpecId === null) return null;
    try {
      await this.#parts.infra.servers.get(serverSpecId, { signal });
      return serverSpecId;
    } catch (error) {
      if (codeOf(error) !== 'NOT_FOUND') throw error;
      this.#parts.logger.info('an instance of the platform stands alone: its server is not known here', {
        instance: name,
        serverSpecId,
      });
      return null;
    }
  }

  async #existing(id: string, signal: AbortSignal): Promise<MCPServerInstance | null> {
    try {
      return await this.#parts.infra.instances.get(id, { signal });
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') return null;
      throw error;
    }
  }

  #isOurs({ labels }: MCPServerInstance): boolean {
    if (this.#parts.everyInstance) return true;
    return Object.entries(this.#parts.labels).every(([name, value]) => labels[name] === value);
  }

  /** Tells the platform why not. @throws the error itself, where time may mend it */
  async #refuse(
    subject: Pick<WireCommand, 'eventId' | 'instanceId'> & { readonly name: string },
    thrown: unknown,
    status: 'failed' | undefined,
  ): Promise<void> {
    const error = normaliseError(thrown, 'INTERNAL', 'The instance could not be changed');
    if (error.retryable || isOrderOfTheHost(error)) throw error;
    const { instanceId, name, eventId } = subject;
    const { voice, logger } = this.#parts;
    // Whoever reads it knows the document by its name on the wire.
    const text = failureText(error.code, error.message.replaceAll('/jsonSpec', '/json_spec'));
    logger.warn('a wish of the platform was refused', { instance: name, instanceId, error: text });
    await voice.say(`refused:${eventId}`, { instanceId, name }, { status, error: text });
  }
}

/** Whether it fails because the infra is not started yet, or is already stopped: the platform did nothing wrong. */
function isOrderOfTheHost({ code }: MCPInfraError): boolean {
  return code === 'NOT_STARTED' || code === 'ALREADY_STOPPED';
}

function isAboutId(error: unknown): boolean {
  return MCPInfraError.isInstance(error) && error.details['field'] === 'id';
}

function codeOf(error: unknown): string | undefined {
  return MCPInfraError.isInstance(error) ? error.code : undefined;
}
