import type { DockerEngine } from '../services/docker-engine.js';
import { builtProgram } from '../package-folder.js';
import { buildImages, type ImageSpec } from './build-images.js';
import type { Layer } from './layer.js';
import { packageLayer } from './package-layer.js';

const script = '/app/main.js';

/** The folders a filesystem server may be given, writable for any user. */
const dataFolders: Layer = Object.fromEntries(
  ['/data', '/workspace'].map((path) => [path, { folder: true, mode: 0o1777 }]),
);

const specs = {
  'agentarea/echo:latest': async () => program('echo-server.js', { exposedPort: 8000 }),
  'mcp/everything:latest': async () => ({
    files: await packageLayer('@modelcontextprotocol/server-everything'),
    entry: ['/app/node_modules/@modelcontextprotocol/server-everything/dist/index.js'],
  }),
  'mcp/filesystem:latest': async () => ({
    files: {
      [script]: { file: builtProgram('http-front.js') },
      ...dataFolders,
      ...(await packageLayer('@modelcontextprotocol/server-filesystem')),
    },
    entry: [script, '/app/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'],
    exposedPort: 8000,
  }),
  'mcp/hostile:latest': async () => program('hostile-server.js'),
  'mcp/test:latest': async () => program('fixture-server.js', { cmd: ['--stdio'] }),
} satisfies Record<string, () => Promise<Omit<ImageSpec, 'tag'>>>;

/** The names of the images that tests and examples use. */
export type SeedImage = keyof typeof specs;

export const seedImageTags = Object.keys(specs) as readonly SeedImage[];

export function isSeedImage(tag: string): tag is SeedImage {
  return Object.hasOwn(specs, tag);
}

/** Makes the named images in an engine, those alone that it does not have yet; all, when none is named. */
export async function seedImages(
  engine: Pick<DockerEngine, 'socketPath'>,
  tags: readonly SeedImage[] = seedImageTags,
): Promise<void> {
  await buildImages(engine, await Promise.all(tags.map(async (tag) => ({ tag, ...(await specs[tag]()) }))));
}

function program(
  name: string,
  rest: Omit<ImageSpec, 'tag' | 'files' | 'entry'> = {},
): Omit<ImageSpec, 'tag'> {
  return { files: { [script]: { file: builtProgram(name) } }, entry: [script], ...rest };
}
