import {
  defaults,
  resolveTransport,
  sizeInBytes,
  type ContainerSpec,
  type Endpoint,
} from '@mcpinfra/core/plugin';
import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import { controlsOf, type Controls } from './isolation.js';
import { labels, ownerLabels, type LabelSet, type OwnedRef } from './labels.js';
import { secretTemplates } from './secret-values.js';

/** What a container is made of. */
export interface ContainerParts {
  readonly owner: OwnedRef;
  readonly spec: ContainerSpec;
  /** The labels of the instance. */
  readonly instanceLabels: LabelSet;
  readonly image: ImageFacts;
  /** The whole environment; holds secret values. */
  readonly environment: ReadonlyMap<string, string>;
  /** `none`, or the id of a network. */
  readonly network: string;
  /** The directory of the engine's machine that holds secrets as files. */
  readonly secretFiles: string | undefined;
}

/** What an image says of how it is run. */
export interface ImageFacts {
  /** Empty for root. */
  readonly user: string;
}

/** Where secrets delivered as files are found inside the container. */
export const secretsPath = '/run/secrets';
// An id that no system gives out, "nonroot" of distroless images.
const nobody = '65532:65532';
const tmpfsSize = '64m';
const logLimits = { 'max-size': '10m', 'max-file': '3' };

/** Writes the document the engine makes a container of: hardened, and loosened only where the spec says so. */
export function containerDocument(parts: ContainerParts): ContainerCreateOptions {
  const { owner, spec, image, environment, instanceLabels } = parts;
  const controls = controlsOf(spec);
  const isStdio = resolveTransport(spec) === 'stdio';
  const user = userOf(controls, image);
  return {
    Image: spec.image,
    User: user,
    Env: [...withHome(environment, { controls, image, user })].map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...instanceLabels,
      ...spec.labels,
      ...ownerLabels(owner),
      ...endpointLabels(spec),
      [labels.secrets]: JSON.stringify(secretTemplates(spec.environment)),
    },
    AttachStdin: isStdio,
    AttachStdout: isStdio,
    AttachStderr: false,
    OpenStdin: isStdio,
    // The next owner writes into the same input.
    StdinOnce: false,
    Tty: false,
    // The probes of the controller are the only ones.
    Healthcheck: { Test: ['NONE'] },
    ...(spec.command === undefined ? {} : { Cmd: [...spec.command] }),
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: [...spec.entrypoint] }),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
    HostConfig: hostConfig(parts, controls),
  };
}

function hostConfig({ spec, network, secretFiles }: ContainerParts, controls: Controls): HostConfig {
  const memory = sizeInBytes(spec.resources?.memory_limit);
  const files = secretFiles === undefined ? [] : [bind(secretFiles, secretsPath, true)];
  const volumes = (spec.volumes ?? []).map(({ source, target, read_only: readOnly = true }) =>
    source.startsWith('/')
      ? bind(source, target, readOnly)
      : { Type: 'volume' as const, Source: source, Target: target, ReadOnly: readOnly },
  );
  const tmpfs = [{ path: '/tmp', size: tmpfsSize }, ...(spec.tmpfs ?? [])];
  return {
    CapDrop: controls.dropsCapabilities ? ['ALL'] : [],
    CapAdd: [...controls.capabilities],
    SecurityOpt: controls.noNewPrivileges ? ['no-new-privileges'] : [],
    Privileged: false,
    ReadonlyRootfs: controls.readOnlyRoot,
    // Anybody may write there: the user is often none the image knows.
    Tmpfs: Object.fromEntries(
      tmpfs.map(({ path, size = tmpfsSize }) => [path, `rw,noexec,nosuid,nodev,mode=1777,size=${size}`]),
    ),
    Mounts: [...files, ...volumes],
    PidsLimit: spec.resources?.pids_limit ?? defaults.pidsLimit,
    Memory: memory,
    // Without swap: the limit is the limit.
    MemorySwap: memory,
    NanoCpus: Math.round(Number(spec.resources?.cpu_limit ?? defaults.cpuLimit) * 1e9),
    LogConfig: { Type: 'json-file', Config: logLimits },
    // Reaps the children of servers that do not, and lets them end at SIGTERM.
    Init: true,
    // The controller alone restarts.
    RestartPolicy: { Name: 'no' },
    IpcMode: 'private',
    NetworkMode: network,
    // Queries would leave through the engine's resolver even from an internal network.
    Dns: spec.network?.egress === 'open' ? [] : ['0.0.0.0'],
  };
}

function bind(source: string, target: string, readOnly: boolean) {
  return { Type: 'bind' as const, Source: source, Target: target, ReadOnly: readOnly };
}

function userOf({ user }: Controls, image: ImageFacts): string {
  if (typeof user === 'object') return user.name;
  if (user === 'image') return image.user;
  return /^(?:|root|0+)(?::.*)?$/u.test(image.user) ? nobody : image.user;
}

/** A home that cannot be written to, or that is not the user's, breaks more servers than one that is empty. */
function withHome(
  environment: ReadonlyMap<string, string>,
  about: { readonly controls: Controls; readonly image: ImageFacts; readonly user: string },
): ReadonlyMap<string, string> {
  if (environment.has('HOME')) return environment;
  const keeps = !about.controls.readOnlyRoot && about.user === about.image.user;
  return keeps ? environment : new Map([...environment, ['HOME', '/tmp']]);
}

function endpointLabels(spec: ContainerSpec): Record<string, string> {
  const transport = resolveTransport(spec);
  if (transport === 'stdio' || spec.port === undefined) return { [labels.transport]: 'stdio' };
  return {
    [labels.transport]: transport === 'sse' ? 'sse' : 'streamable-http',
    [labels.port]: String(spec.port),
    [labels.path]: spec.path ?? defaults.mcpPath,
  };
}

/** Reads off the labels of a container how its server is reached at an address. */
export function readEndpoint(set: LabelSet, address: string | undefined): Endpoint {
  const transport = set[labels.transport];
  if (transport !== 'streamable-http' && transport !== 'sse') return { transport: 'stdio' };
  const url = `http://${address ?? '0.0.0.0'}:${set[labels.port] ?? ''}${set[labels.path] ?? ''}`;
  return { transport, url };
}
