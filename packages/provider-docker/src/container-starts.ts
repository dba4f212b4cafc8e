import {
  type ContainerSpec,
  mcpError,
  MCPInfraError,
  orAborted,
  revealText,
  type RunRequest,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { Attachments } from './attachments.js';
import { containerDocument, secretsPath } from './container-document.js';
import { takeSecrets } from './container-secrets.js';
import { isGoing, type Containers, type KnownContainer } from './containers.js';
import { saidBy } from './engine.js';
import { startFailureCode } from './engine-failure.js';
import type { Images } from './images.js';
import { copyKey, type OwnedRef } from './labels.js';
import { connectionOf, type Networks } from './networks.js';
import type { SecretFiles } from './secret-files.js';

/** What starts work with. */
export interface StartParts {
  readonly containers: Containers;
  readonly images: Images;
  readonly networks: Networks;
  readonly secretFiles: SecretFiles;
  readonly attachments: Attachments;
}

// What is left of a failed start is removed even when nobody waits any more.
const cleanUpMs = 20_000;

/** Makes the containers of copies and starts them. */
export class ContainerStarts {
  readonly #parts: StartParts;

  constructor(parts: StartParts) {
    this.#parts = parts;
  }

  /** Makes a copy's container run, unless it does; one that ended is started again as it is. */
  async ensure(owned: OwnedRef, request: RunRequest<ContainerSpec>, signal: AbortSignal): Promise<void> {
    const { containers } = this.#parts;
    const found = await containers.find(owned, signal);
    if (found?.State.Running === true) return;
    if (found && !isGoing(found)) {
      if (found.HostConfig.Mounts?.some((mount) => mount.Target === secretsPath) === true)
        await this.#restoreSecrets(owned, request, signal);
      return this.#start(owned, found, signal);
    }
    if (found) await containers.remove(found.Id, signal);
    try {
      await this.#start(owned, await this.#make(owned, request, signal), signal);
    } catch (error) {
      // After an abort it may already be another worker's; its labels tell.
      if (!signal.aborted) await this.remove(owned, AbortSignal.timeout(cleanUpMs)).catch(() => undefined);
      throw error;
    }
  }

  /** Removes whatever was made for a copy. */
  async remove(owned: OwnedRef, signal: AbortSignal | undefined): Promise<void> {
    const { containers, networks, secretFiles, attachments } = this.#parts;
    attachments.release(copyKey(owned));
    const found = await containers.find(owned, signal);
    if (found) await containers.remove(found.Id, signal);
    const hadOwn = await networks.remove(owned, signal);
    const isConnected = found !== undefined && found.HostConfig.NetworkMode !== 'none';
    if (isConnected && !hadOwn) await networks.removeShared(owned, signal);
    await secretFiles.remove(owned);
  }

  async #make(
    owned: OwnedRef,
    request: RunRequest<ContainerSpec>,
    signal: AbortSignal,
  ): Promise<KnownContainer> {
    const { images, networks, containers, secretFiles } = this.#parts;
    const { spec } = request;
    const image = images.takeFetched(spec.image) ?? (await images.facts(spec.image, signal));
    if (!image) {
      const message = `The image ${spec.image} is not on the engine any more; start the instance again to fetch it.`;
      throw mcpError('IMAGE_NOT_FOUND', message, { details: { image: spec.image }, retryable: true });
    }
    const values = await revealed(request, signal);
    throwIfAborted(signal);
    const files = spec.secret_delivery === 'file' ? takeSecrets(spec, values) : undefined;
    const directory = files && (await secretFiles.write(owned, files));
    const network = await networks.connect(owned, connectionOf(spec), signal);
    const document = containerDocument({
      owner: owned,
      spec,
      instanceLabels: request.labels,
      image,
      environment: values,
      network,
      secretFiles: directory,
    });
    const made = await containers.create(owned, document, signal).catch((error: unknown) => {
      throw startFailure(error, spec.image);
    });
    // Another worker was faster; what was made here for the same copy has no use.
    const { NetworkMode: used } = made.HostConfig;
    if (used !== network) await networks.remove(owned, signal, used);
    return made;
  }

  async #start(owned: OwnedRef, container: KnownContainer, signal: AbortSignal): Promise<void> {
    const { containers, attachments } = this.#parts;
    // Attached first, so that nothing the server writes is missed.
    if (container.Config.OpenStdin)
      attachments.hold(copyKey(owned), await containers.attach(container, signal));
    try {
      await containers.start(container, signal);
    } catch (error) {
      attachments.release(copyKey(owned));
      throw startFailure(error, container.Config.Image);
    }
  }

  /** A reboot empties what is kept in memory. */
  async #restoreSecrets(
    owned: OwnedRef,
    request: RunRequest<ContainerSpec>,
    signal: AbortSignal,
  ): Promise<void> {
    if ((await this.#parts.secretFiles.read(owned)).size > 0) return;
    await this.#parts.secretFiles.write(owned, takeSecrets(request.spec, await revealed(request, signal)));
  }
}

async function revealed(
  request: RunRequest<ContainerSpec>,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const environment = Object.entries(await orAborted(request.environment(), signal));
  return new Map(environment.map(([name, value]) => [name, revealText(value)]));
}

/** Tells by what the engine says why a container cannot be made or started. */
function startFailure(error: unknown, image: string): unknown {
  if (!MCPInfraError.isInstance(error)) return error;
  const said = saidBy(error);
  const code = said === '' ? undefined : startFailureCode(said);
  if (code === undefined) return error;
  const message = `The container of ${image} cannot be started: ${said}.`;
  return mcpError(code, message, {
    details: { image, said },
    ...(code === 'IMAGE_NOT_FOUND' ? { retryable: true } : {}),
  });
}
