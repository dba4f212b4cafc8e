import { Duplex } from 'node:stream';
import { mcpError, sleep, type StdioChannel, systemClock } from '@mcpinfra/core/plugin';
import type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { statusOf, type Engine } from './engine.js';
import { copyName, isCopy, labelFilter, labels, type OwnedRef } from './labels.js';
import { openAttachment } from './stdio-attachment.js';

const pollMs = 50;
/** An engine that has much to do takes its time to change something. */
const changeMs = 60_000;

/** What is known of a container from the moment it is made. */
export interface KnownContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Config: Pick<ContainerInspectInfo['Config'], 'OpenStdin' | 'Image'>;
  readonly HostConfig: { readonly NetworkMode?: string | undefined };
}

/** The containers of copies, each known by its name and labels; containers of others are never touched. */
export class Containers {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Looks at a copy's container. `undefined` when there is none, or one of that name that is not the copy's. */
  async find(owned: OwnedRef, signal: AbortSignal | undefined): Promise<ContainerInspectInfo | undefined> {
    const found = await this.#named(owned, signal);
    return found && isCopy(found.Config.Labels, owned) ? found : undefined;
  }

  /**
   * Makes a copy's container; one that was made meanwhile is taken as it is.
   *
   * @throws `ALREADY_EXISTS` where a container of the name is not ours
   */
  async create(
    owned: OwnedRef,
    document: ContainerCreateOptions,
    signal: AbortSignal | undefined,
  ): Promise<KnownContainer> {
    const name = copyName(owned.copy);
    for (;;) {
      try {
        const { id } = await this.#engine.ask(
          `Making the container ${name}`,
          { signal, timeoutMs: changeMs },
          (docker, abortSignal) =>
            // Named apart, else dockerode writes the document into the address too, environment included.
            docker.createContainer({
              _query: { name },
              _body: document,
              abortSignal,
            } as ContainerCreateOptions),
        );
        return {
          Id: id,
          Name: name,
          Config: { OpenStdin: document.OpenStdin === true, Image: document.Image ?? '' },
          HostConfig: { NetworkMode: document.HostConfig?.NetworkMode },
        };
      } catch (error) {
        if (statusOf(error) !== 409) throw error;
      }
      const found = await this.#named(owned, signal);
      if (found && !isCopy(found.Config.Labels, owned)) throw foreign(name);
      if (found && !isGoing(found)) return found;
      // It is just being removed; the name is free in a moment.
      await sleep(systemClock, pollMs, signal);
    }
  }

  async start(container: KnownContainer, signal: AbortSignal | undefined): Promise<void> {
    await this.#engine
      .ask(
        `Starting the container ${nameOf(container)}`,
        { signal, timeoutMs: changeMs },
        (docker, abortSignal) => docker.getContainer(container.Id).start({ abortSignal }),
      )
      .catch((error: unknown) => {
        // Somebody else has started it.
        if (statusOf(error) !== 304) throw error;
      });
  }

  /** Ends a container's processes: asks them to, and kills them after the grace. */
  async stop(container: KnownContainer, graceMs: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#engine
      .ask(
        `Stopping the container ${nameOf(container)}`,
        { signal, timeoutMs: graceMs + changeMs },
        (docker, abortSignal) =>
          docker.getContainer(container.Id).stop({ t: Math.ceil(graceMs / 1_000), abortSignal }),
      )
      .catch((error: unknown) => {
        if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error;
      });
  }

  /** Kills a container and removes it with the volumes that are its own. Resolves when it is gone. */
  async remove(id: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      try {
        await this.#engine.askMaybe(
          `Removing the container ${id.slice(0, 12)}`,
          { signal, timeoutMs: changeMs },
          (docker, abortSignal) => docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
        );
        return;
      } catch (error) {
        // Somebody else removes it already.
        if (statusOf(error) !== 409) throw error;
        await sleep(systemClock, pollMs, signal);
      }
    }
  }

  /** Connects to the standard streams of a container, running or not yet started. */
  async attach(container: KnownContainer, signal: AbortSignal | undefined): Promise<StdioChannel> {
    const options = { stream: true, stdin: true, stdout: true, stderr: false, logs: false, hijack: true };
    const connection = await this.#engine.ask(
      `Attaching to the container ${nameOf(container)}`,
      { signal },
      (docker, abortSignal) => docker.getContainer(container.Id).attach({ ...options, abortSignal }),
    );
    // A socket, or what dockerode makes of a request and its answer.
    if (connection instanceof Duplex) return openAttachment(connection);
    throw mcpError('INTERNAL', `Expected a duplex stream of the container ${nameOf(container)}.`);
  }

  /** The containers of all fleets, or of one. */
  async list(fleet: string | undefined, signal: AbortSignal | undefined): Promise<readonly ContainerInfo[]> {
    const label = fleet === undefined ? [labels.fleet] : labelFilter({ [labels.fleet]: fleet });
    return this.#engine.ask('Listing containers', { signal }, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters: { label }, abortSignal }),
    );
  }

  #named(owned: OwnedRef, signal: AbortSignal | undefined): Promise<ContainerInspectInfo | undefined> {
    const name = copyName(owned.copy);
    return this.#engine.askMaybe(`Looking at the container ${name}`, { signal }, (docker, abortSignal) =>
      docker.getContainer(name).inspect({ abortSignal }),
    );
  }
}

/** The name of a container, without the slash engines begin it with. */
export function nameOf(container: Pick<KnownContainer, 'Name'>): string {
  return container.Name.replace(/^\//u, '');
}

/** Whether a container is past use: being removed, or not wholly removed. */
export function isGoing({ State: { Status: status, Dead: dead } }: ContainerInspectInfo): boolean {
  return status === 'removing' || dead;
}

function foreign(name: string) {
  const message = `A container ${name} exists that is not of this fleet; it is left alone. Remove or rename it.`;
  return mcpError('ALREADY_EXISTS', message, { details: { name } });
}
