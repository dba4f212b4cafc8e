import {
  type ContainerSpec,
  edge,
  ignoreError,
  mcpError,
  type MCPInfraError,
  orAborted,
  type Progress,
  type RunRequest,
} from '@mcpinfra/core/plugin';
import type { AuthConfig } from 'dockerode';
import type { ImageFacts } from './container-document.js';
import { saidBy, type Engine } from './engine.js';
import { registryOf, withTag } from './image-reference.js';
import { jsonLines } from './json-lines.js';
import { PullProgress } from './pull-progress.js';

type OnProgress = (progress: Progress) => void;

interface Pull {
  readonly done: Promise<void>;
  readonly ending: AbortController;
  readonly listeners: Set<OnProgress>;
}

/** The images of the engine: looked at, and fetched once for all who wait for the same. */
export class Images {
  readonly #engine: Engine;
  readonly #pulls = new Map<string, Pull>();
  readonly #fetched = new Map<string, ImageFacts>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Gives what an image says of itself; `undefined` when the engine does not have it. */
  async facts(image: string, signal: AbortSignal | undefined): Promise<ImageFacts | undefined> {
    const found = await this.#engine.askMaybe(
      `Looking at the image ${image}`,
      { signal },
      (docker, abortSignal) =>
        // The types do not know that it can be aborted.
        docker.getImage(withTag(image)).inspect({ abortSignal } as object),
    );
    // Newer engines leave out what is empty.
    const { User: user = '' }: { readonly User?: string } = found?.Config ?? {};
    return found && { user };
  }

  /** Whether the engine has an image; what it says of itself is kept for a moment. */
  async has(image: string, signal: AbortSignal | undefined): Promise<boolean> {
    const facts = await this.facts(image, signal);
    if (facts) this.#fetched.set(image, facts);
    return facts !== undefined;
  }

  /** Gives what was seen of an image a moment ago, once. */
  takeFetched(image: string): ImageFacts | undefined {
    const facts = this.#fetched.get(image);
    this.#fetched.delete(image);
    return facts;
  }

  /**
   * Fetches an image that the engine does not have.
   *
   * @throws `IMAGE_NOT_FOUND`, `IMAGE_PULL_DENIED`, or `IMAGE_PULL_FAILED` where the registry cannot be reached
   */
  async fetch(request: RunRequest<ContainerSpec>, signal: AbortSignal | undefined): Promise<void> {
    const { image, registry } = request.spec;
    if (await this.has(image, signal)) return;
    let auth: AuthConfig | undefined;
    if (registry) {
      const secrets = await request.secrets();
      const [username, password] = [registry.username, registry.password].map((text) =>
        secrets.render(text).reveal(),
      );
      auth = { username: username ?? '', password: password ?? '', serveraddress: registryOf(image) };
    }
    await this.#share(image, auth, { signal, onProgress: request.onProgress });
  }

  async #share(
    image: string,
    auth: AuthConfig | undefined,
    waiter: { readonly signal: AbortSignal | undefined; readonly onProgress: OnProgress },
  ): Promise<void> {
    // Others' credentials may open what these do not.
    const key = JSON.stringify([withTag(image), auth]);
    const pull = this.#pulls.get(key) ?? this.#begin(key, image, auth);
    pull.listeners.add(waiter.onProgress);
    waiter.onProgress({ phase: 'pulling', image, completedBytes: 0, totalBytes: null });
    try {
      await orAborted(pull.done, waiter.signal);
    } finally {
      pull.listeners.delete(waiter.onProgress);
      if (pull.listeners.size === 0) {
        if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
        pull.ending.abort();
      }
    }
  }

  #begin(key: string, image: string, auth: AuthConfig | undefined): Pull {
    const ending = new AbortController();
    const listeners = new Set<OnProgress>();
    const done = this.#pull(image, auth, { signal: ending.signal, listeners }).finally(() =>
      this.#pulls.delete(key),
    );
    // Whoever waited may be gone.
    done.catch(() => undefined);
    const pull = { done, ending, listeners };
    this.#pulls.set(key, pull);
    return pull;
  }

  async #pull(
    image: string,
    auth: AuthConfig | undefined,
    about: { readonly signal: AbortSignal; readonly listeners: ReadonlySet<OnProgress> },
  ): Promise<void> {
    const progress = new PullProgress();
    try {
      // Bounded by who waits for it: images are large, registries slow.
      await this.#engine.ask(
        `Fetching the image ${image}`,
        { signal: about.signal, timeoutMs: Infinity },
        async (docker, abortSignal) => {
          const options = { fromImage: withTag(image), abortSignal };
          const stream = await docker.createImage(auth ?? {}, options);
          const give = (): void => (stream as { destroy?: () => void }).destroy?.();
          abortSignal.addEventListener('abort', give, { once: true });
          for await (const line of jsonLines(stream)) {
            if (!progress.take(line)) continue;
            const { completedBytes, totalBytes } = progress;
            const step: Progress = { phase: 'pulling', image, completedBytes, totalBytes };
            // Whoever waits for the same image is not harmed by a listener that throws.
            for (const tell of about.listeners) edge(ignoreError, tell)(step);
          }
        },
      );
    } catch (error) {
      const said = saidBy(error);
      if (said === '') throw error;
      throw pullFailure(image, said, auth !== undefined);
    }
    if (progress.error !== undefined) throw pullFailure(image, progress.error, auth !== undefined);
  }
}

/** Tells by what the engine says why an image could not be fetched. @internal */
export function pullFailure(image: string, said: string, hasCredentials: boolean): MCPInfraError {
  const details = { image, said };
  const name = `The image ${withTag(image)}`;
  if (/toomanyrequests|rate limit/iu.test(said))
    return mcpError('IMAGE_PULL_FAILED', `${name} could not be fetched yet: ${said}.`, { details });
  if (/may require|repository does not exist/iu.test(said) && !hasCredentials) {
    const message = `${name} does not exist, or is private: correct json_spec.image, or give json_spec.registry. The registry said: ${said}.`;
    return mcpError('IMAGE_NOT_FOUND', message, { details });
  }
  if (/unauthorized|denied|no basic auth|authentication required|forbidden|40[13]/iu.test(said)) {
    const with_ = hasCredentials ? 'with the credentials given' : 'without credentials';
    const message = `${name} is not handed out ${with_}: correct json_spec.registry. The registry said: ${said}.`;
    return mcpError('IMAGE_PULL_DENIED', message, { details });
  }
  if (/manifest unknown|not found|manifest for .* not found|name unknown|invalid reference/iu.test(said)) {
    const message = `${name} is neither on the engine nor in its registry: correct json_spec.image, or build it there. The registry said: ${said}.`;
    return mcpError('IMAGE_NOT_FOUND', message, { details });
  }
  return mcpError('IMAGE_PULL_FAILED', `${name} could not be fetched: ${said}.`, { details });
}
