import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
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
  return watched(spawn(process.execPath, [program, mode, file], { stdio: ['pipe', 'pipe', 'inherit'] }));
}

/**
 * Opens the store as a container does that has the folder as a volume: as process 1, with a network of its own, by
 * another path. Killing the child kills what it started.
 */
function startContained(): StoreProcess {
  const mount = join(directory, 'volume');
  const inside = `mount --bind "$1" "$2" && exec "$3" "$4" hold "$2/store.json"`;
  const namespaces = ['--pid', '--fork', '--kill-child', '--mount-proc', '--mount', '--net', '--uts'];
  const command = ['sh', '-ec', inside, 'sh', join(directory, 'data'), mount, process.execPath, program];
  return watched(spawn('unshare', [...namespaces, ...command], { stdio: ['pipe', 'pipe', 'inherit'] }));
}

function watched(child: ChildProcessByStdio<Writable, Readable, null>): StoreProcess {
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

  it('stays with a process that is stopped', async () => {
    const holder = start('hold');
    expect(await holder.first).toBe('opened');
    holder.child.kill('SIGSTOP');
    expect(await start('hold').first).toBe('STORE_LOCKED');
  });

  it('is not locked by what killed processes left, a takeover in its midst included', async () => {
    const [holder, other] = [start('hold'), start('hold')];
    await Promise.all([holder.first, other.first]);
    const lock = await readFile(`${file}.lock`);
    await Promise.all([kill(holder.child), kill(other.child)]);
    await writeFile(`${file}.lock.takeover`, lock);
    await writeFile(`${file}.999-abcd.tmp`, '{');
    const rivals = Array.from({ length: 5 }, () => start('hold'));
    const answers = await Promise.all(rivals.map((rival) => rival.first));
    expect(answers.filter((answer) => answer === 'opened')).toHaveLength(1);
    const left = (await readdir(directory)).filter((name) => !name.endsWith('.sock'));
    expect(left).toEqual(['store.json', 'store.json.lock']);
  });

  it('is left by a process of another machine that gives no sign of life any more', async () => {
    await writeFile(`${file}.lock`, JSON.stringify({ kernel: 'another', host: 'h', pid: 1, socket: null }));
    const waiting = start('hold');
    expect(await waiting.first).toBe('opened');
    expect(await start('hold').first).toBe('STORE_LOCKED');
  });

  it('stays with a process of another machine that gives signs of life', async () => {
    const lock = `${file}.lock`;
    await writeFile(lock, JSON.stringify({ kernel: 'another', host: 'h', pid: 1, socket: null }));
    const beat = setInterval(() => void utimes(lock, new Date(), new Date()), 500);
    try {
      await expect(memoryStore({ file }).open()).rejects.toMatchObject({
        code: 'STORE_LOCKED',
        details: { host: 'h', pid: 1 },
      });
    } finally {
      clearInterval(beat);
    }
  });

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'is used by one container at a time, and free again once that one was killed',
    async () => {
      file = join(directory, 'data', 'store.json');
      await Promise.all(['data', 'volume'].map((name) => mkdir(join(directory, name))));
      const holder = startContained();
      expect(await holder.first).toBe('opened');
      const rivals = [startContained(), start('hold')];
      expect(await Promise.all(rivals.map((rival) => rival.first))).toEqual(['STORE_LOCKED', 'STORE_LOCKED']);
      expect(await readFile(`${file}.lock`, 'utf8')).toContain('"pid":1,');
      await kill(holder.child);
      const killed = performance.now();
      const next = [startContained(), startContained()];
      const answers = await Promise.all(next.map((one) => one.first));
      expect(answers.toSorted()).toEqual(['STORE_LOCKED', 'opened']);
      // Known at once: an owner of whom nothing can be known is waited for longer than that.
      expect(performance.now() - killed).toBeLessThan(10_000);
    },
  );

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
    }
  });
});
