import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { EngineApi, EngineApiError } from '../services/docker/engine-api.js';
import type { DockerEngine } from '../services/docker-engine.js';
import { addToArchive, type Layer, type SealedLayer, sealLayer } from './layer.js';
import { nodeLayer, nodePath } from './node-layer.js';

/** An image that runs a script with this machine's Node, and has nothing else in it. */
export interface ImageSpec {
  /** `name:tag` */
  readonly tag: string;
  readonly files: Layer;
  /** The script and the arguments that stand before those of the container's command. */
  readonly entry: readonly string[];
  /** Arguments when the container's command has none. */
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exposedPort?: number;
  /** @defaultValue root */
  readonly user?: string;
  /** @defaultValue '/' */
  readonly workdir?: string;
}

/** The image below all others: Node alone. */
const base: ImageSpec = { tag: 'mcp/node:test', files: {}, entry: [] };

const fingerprintLabel = 'io.mcpinfra.tools.fingerprint';

/** Makes the images an engine does not have yet: no registry, no `docker` command, no build step runs. */
export async function buildImages(
  { socketPath }: Pick<DockerEngine, 'socketPath'>,
  specs: readonly ImageSpec[],
): Promise<void> {
  const api = new EngineApi(socketPath);
  const nodeFiles = await nodeLayer();
  const wanted = await Promise.all(
    [base, ...specs].map(async (spec) => {
      const fingerprint = await fingerprintOf(spec, nodeFiles);
      return { spec, fingerprint, isThere: (await fingerprintAt(api, spec.tag)) === fingerprint };
    }),
  );
  const missing = wanted.filter(({ isThere }) => !isThere);
  if (missing.length === 0) return;

  const node = await sealLayer(nodeFiles);
  const images = await Promise.all(
    missing.map(async ({ spec, fingerprint }) => {
      const own = Object.keys(spec.files).length === 0 ? [] : [await sealLayer(spec.files)];
      return { spec, fingerprint, layers: [node, ...own] };
    }),
  );
  const answer = await api.text('POST', '/images/load?quiet=1', { body: imageArchive(images) });
  // A failure comes inside an answer that began with 200.
  if (answer.includes('"errorDetail"')) throw new Error(`the engine did not load the images: ${answer}`);
}

interface LayeredImage {
  readonly spec: ImageSpec;
  readonly fingerprint: string;
  readonly layers: readonly SealedLayer[];
}

/** The format of `docker save`, which every engine loads. */
function imageArchive(images: readonly LayeredImage[]): Readable {
  const tar = pack();
  const layers = new Map(images.flatMap((image) => image.layers.map((layer) => [layerFile(layer), layer])));
  for (const [name, { archive }] of layers) addToArchive(tar, { name }, archive);
  const manifest = images.map(({ spec, fingerprint, layers }) => {
    const config = JSON.stringify(configOf(spec, fingerprint, layers));
    const name = `${createHash('sha256').update(config).digest('hex')}.json`;
    addToArchive(tar, { name }, config);
    return { Config: name, RepoTags: [spec.tag], Layers: layers.map(layerFile) };
  });
  addToArchive(tar, { name: 'manifest.json' }, JSON.stringify(manifest));
  tar.finalize();
  return Readable.from(tar);
}

function layerFile({ diffId }: SealedLayer): string {
  return `${diffId.slice('sha256:'.length)}/layer.tar`;
}

/** Source: OCI image configuration, whose predecessor of the same fields Docker's archives have. */
function configOf(spec: ImageSpec, fingerprint: string, layers: readonly SealedLayer[]): object {
  const created = new Date(0).toISOString();
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created,
    config: {
      Entrypoint: [nodePath, ...spec.entry],
      Cmd: spec.cmd ?? null,
      Env: Object.entries({ PATH: '/usr/bin', ...spec.env }).map(([name, value]) => `${name}=${value}`),
      ExposedPorts: spec.exposedPort === undefined ? {} : { [`${spec.exposedPort}/tcp`]: {} },
      User: spec.user ?? '',
      WorkingDir: spec.workdir ?? '/',
      Labels: { [fingerprintLabel]: fingerprint },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created, created_by: 'mcpinfra tools' })),
  };
}

/** Tells from sizes and times of the files, not their contents, whether an image has to be made anew. */
async function fingerprintOf(spec: ImageSpec, nodeFiles: Layer): Promise<string> {
  const entries = Object.entries({ ...nodeFiles, ...spec.files });
  const stamps = await Promise.all(
    entries.map(async ([path, entry]) => {
      if (!('file' in entry)) return [path, entry];
      const { size, mtimeMs } = await stat(entry.file);
      return [path, entry.mode, size, mtimeMs];
    }),
  );
  const { files: _files, ...rest } = spec;
  return createHash('sha256')
    .update(JSON.stringify([rest, stamps]))
    .digest('hex')
    .slice(0, 32);
}

async function fingerprintAt(api: EngineApi, tag: string): Promise<string | undefined> {
  try {
    const { Config } = await api.json<{ Config: { Labels: Record<string, string> | null } }>(
      'GET',
      `/images/${tag}/json`,
    );
    return Config.Labels?.[fingerprintLabel];
  } catch (cause) {
    if (cause instanceof EngineApiError && cause.status === 404) return undefined;
    throw cause;
  }
}
