import type { DockerEngine } from '../services/docker-engine.js';
import { builtProgram } from '../package-folder.js';
import { buildImages, type ImageSpec } from './build-images.js';

const script = '/app/main.js';

const specs = {
  'mcp/test:latest': () => program('fixture-server.js', { cmd: ['--stdio'] }),
  'mcp/hostile:latest': () => program('hostile-server.js', {}),
} satisfies Record<string, () => Promise<Omit<ImageSpec, 'tag'>>>;

/** The names of the images that tests and examples use. */
export type SeedImage = keyof typeof specs;

/** Makes the named images in an engine, those alone that it does not have yet; all, when none is named. */
export async function seedImages(
  engine: Pick<DockerEngine, 'socketPath'>,
  tags: readonly SeedImage[] = Object.keys(specs) as SeedImage[],
): Promise<void> {
  await buildImages(engine, await Promise.all(tags.map(async (tag) => ({ tag, ...(await specs[tag]()) }))));
}

async function program(
  name: string,
  rest: Omit<ImageSpec, 'tag' | 'files' | 'entry'>,
): Promise<Omit<ImageSpec, 'tag'>> {
  return { files: { [script]: { file: builtProgram(name) } }, entry: [script], ...rest };
}
