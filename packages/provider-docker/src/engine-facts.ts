import type { Engine, RequestBounds } from './engine.js';

/** What an engine says it is. */
export interface EngineVersion {
  readonly Version?: string;
  readonly Components?: readonly { readonly Name?: string; readonly Version?: string }[];
}

/** What an engine says of itself and its machine, as far as anybody here asks. */
export type EngineInfo = Readonly<Record<string, unknown>> & { readonly ID: string; readonly Name: string };

// Both can be aborted, which their types do not know.
type Asking = (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;

/** Asks an engine for its version. @throws as {@link Engine.ask} */
export function versionOf(engine: Engine, bounds: RequestBounds): Promise<EngineVersion> {
  return engine.ask('Asking for the version of the engine', bounds, async (docker, abortSignal) => {
    const version = docker.version.bind(docker) as Asking;
    return (await version({ abortSignal })) as EngineVersion;
  });
}

/** Asks an engine what it and its machine are. @throws as {@link Engine.ask} */
export function infoOf(engine: Engine, bounds: RequestBounds): Promise<EngineInfo> {
  return engine.ask('Asking about the engine', bounds, async (docker, abortSignal) => {
    const info = docker.info.bind(docker) as Asking;
    return (await info({ abortSignal })) as EngineInfo;
  });
}

/** Whether a Docker-compatible engine is Podman. */
export function isPodman(version: EngineVersion): boolean {
  return version.Components?.some((component) => /podman/iu.test(component.Name ?? '')) ?? false;
}
