import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { memoryStore } from '@mcpinfra/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('./fixtures/store-process.mjs', import.meta.url));

interface StoreProcess {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves with the first line: `opened` or the code of the error. */
  readonly first: Promise<string>;
}

const children: ChildProcess[] = [];
let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpinfra-processes-'));
  file = join(directory, 'store.json');
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  await rm(directory, { recursive: true, force: true });
});

function start(mode: 'hold' | 'write'): StoreProcess {
  const child = spawn(process.execPath, [program, mode, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return { child, lines, first: once(reader, 'line').then(([line]) => String(line)) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

describe('a store in a file, between processes', () => {
  it('is used by one at a time, and by the next when that one has closed it', async () => {
    const holder = start('hold');
    expect(await holder.first).toBe('opened');
    await expect(memoryStore({ file }).open()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { pid: holder.child.pid },
    });
    const closed = once(holder.child, 'close');
    holder.child.stdin?.end();
    await closed;
    expect(await start('hold').first).toBe('opened');
  });

  it('is taken over from a killed process by exactly one of many', async () => {
    for (let round = 0; round < 3; round += 1) {
      const holder = start('hold');
      expect(await holder.first).toBe('opened');
      await kill(holder.child);
      const rivals = Array.from({ length: 5 }, () => start('hold'));
      const answers = await Promise.all(rivals.map((rival) => rival.first));
      expect(answers.filter((answer) => answer === 'opened')).toHaveLength(1);
      expect(new Set(answers)).toEqual(new Set(['opened', 'STORE_LOCKED']));
      await Promise.all(rivals.map((rival) => kill(rival.child)));
    }
  });

  it('holds everything that was acknowledged, whenever its writer is killed', async () => {
    const acknowledged = new Set<string>();
    for (let round = 1; round <= 8; round += 1) {
      await rm(file, { force: true });
      acknowledged.clear();
      const writer = start('write');
      await expect
        .poll(() => writer.lines.length, { timeout: 10_000, interval: 1 })
        .toBeGreaterThan(round * 7);
      await kill(writer.child);
      for (const line of writer.lines.slice(1)) acknowledged.add(line);
      await writeFile(`${file}.1-dead.tmp`, '{"format_version": 1, "ser');

      const store = memoryStore({ file });
      await store.open();
      const { items } = await store.servers.list({ limit: 100_000 });
      const kept = new Set(items.map((server) => server.id));
      expect([...acknowledged].filter((id) => !kept.has(id))).toEqual([]);
      await store.close();
      expect(await readdir(directory)).toEqual(['store.json']);
      expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ format_version: 1 });
    }
  });
});
