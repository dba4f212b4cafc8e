import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDockerEngine } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import Docker from 'dockerode';
import { describe, expect, it } from 'vitest';
import { closeLinks, openLinks } from '../src/links.js';

const engine = serviceOrSkip(startDockerEngine);

describe('the way of a process to the engine', () => {
  it('brings no events while it is silent, to old listeners and new ones, while requests are answered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpinfra-links-'));
    const elsewhere = { url: 'any://127.0.0.1:1' };
    const services = { postgres: elsewhere, redis: elsewhere, engine: engine() };
    const { links, addresses } = await openLinks(services, { folder, name: 'links' });
    const docker = new Docker({ socketPath: addresses.dockerSocket });
    const volumes = [1, 2].map((n) => `links-${String(n)}-${randomUUID()}`);
    const listen = async (): Promise<{
      readonly heard: () => readonly string[];
      readonly end: () => void;
    }> => {
      const stream = await docker.getEvents({ filters: { type: ['volume'], event: ['create'] } });
      let text = '';
      stream.on('data', (chunk) => (text += String(chunk))).on('error', () => undefined);
      return {
        heard: () => volumes.filter((name) => text.includes(name)),
        end: () => (stream as unknown as { destroy(): void }).destroy(),
      };
    };
    const first = await listen();
    await docker.createVolume({ Name: volumes[0] ?? '' });
    await expect.poll(first.heard).toEqual(volumes.slice(0, 1));
    links.docker.silence();
    const second = await listen();
    await docker.createVolume({ Name: volumes[1] ?? '' });
    const { Volumes: listed } = await docker.listVolumes();
    expect(listed.map(({ Name: name }) => name)).toEqual(expect.arrayContaining(volumes));
    expect([first.heard(), second.heard()]).toEqual([volumes.slice(0, 1), []]);
    links.docker.endSilence();
    await expect.poll(first.heard).toEqual(volumes);
    await expect.poll(second.heard).toEqual(volumes.slice(1));

    first.end();
    second.end();
    for (const name of volumes) await docker.getVolume(name).remove();
    await closeLinks(links);
    rmSync(folder, { recursive: true });
  });
});
