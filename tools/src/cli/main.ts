import { isSeedImage, type SeedImage, seedImages, seedImageTags } from '../images/seed-images.js';
import { startPrivateDockerEngine } from '../services/docker-engine.js';
import { startExternalServer } from '../services/external-server.js';
import { startPrivatePostgres } from '../services/postgres.js';
import { startPrivateRedis } from '../services/redis.js';

interface Started {
  /** What the program says of it, in one line of JSON. */
  readonly address: object;
  readonly stop: () => Promise<void>;
}

const usage = `usage: cli docker [image …] | postgres | redis | external [port]
images: ${seedImageTags.join(' ')}`;

const [service = '', ...argv] = process.argv.slice(2);
// Asked to end while it still starts, it starts, and ends then.
const asked = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
});

try {
  const { address, stop } = await start();
  console.log(JSON.stringify(address));
  await untilAsked();
  await stop();
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : String(cause));
  process.exitCode = 1;
}

async function start(): Promise<Started> {
  switch (service) {
    case 'docker':
      return await startDocker(parseImages(argv));
    case 'postgres': {
      const server = await startPrivatePostgres();
      return { address: { url: server.url, pid: server.pid }, stop: async () => server.stop() };
    }
    case 'redis': {
      const server = await startPrivateRedis();
      return { address: { url: server.url, pid: server.pid }, stop: async () => server.stop() };
    }
    case 'external': {
      const server = await startExternalServer({ port: Number(argv[0] ?? 3333) });
      return { address: { url: `${server.origin}/mcp` }, stop: async () => server.stop() };
    }
    default:
      throw new Error(usage);
  }
}

async function startDocker(images: readonly SeedImage[]): Promise<Started> {
  const engine = await startPrivateDockerEngine();
  if (images.length > 0) await seedImages(engine, images);
  return {
    address: { dockerHost: engine.dockerHost, pid: engine.pid },
    stop: async () => engine.stop(),
  };
}

function parseImages(tags: readonly string[]): SeedImage[] {
  return tags.map((tag) => {
    if (isSeedImage(tag)) return tag;
    throw new Error(`unknown image '${tag}'\n${usage}`);
  });
}

async function untilAsked(): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  await asked;
  clearInterval(alive);
}
