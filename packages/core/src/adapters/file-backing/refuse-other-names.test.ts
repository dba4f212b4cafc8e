import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { memoryStore } from '../memory-store.js';

const mayMount = process.platform === 'linux' && process.getuid?.() === 0;
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpinfra names-'));
  await mkdir(join(folder, 'srv'));
  file = join(folder, 'srv', 'fleet.json');
  const store = memoryStore({ file });
  await store.open();
  await store.close();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it('is not opened by any name while it has two, and is once it has one', async () => {
  const other = join(folder, 'hard.json');
  const first = memoryStore({ file });
  await first.open();
  await link(file, other);
  const refused = { code: 'INVALID_OPTIONS', message: expect.stringContaining('2 names') as unknown };
  await expect(memoryStore({ file: other }).open()).rejects.toMatchObject(refused);
  await first.close();
  await expect(memoryStore({ file }).open()).rejects.toMatchObject(refused);
  await unlink(other);
  const again = memoryStore({ file });
  await again.open();
  await again.close();
});

it('is one file by a symbolic link, with one lock', async () => {
  const other = join(folder, 'soft.json');
  await symlink(file, other);
  const first = memoryStore({ file });
  await first.open();
  await expect(memoryStore({ file: other }).open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await first.close();
});

it.runIf(mayMount)('is not opened where it is mounted by itself, and is where its folder is', async () => {
  const bound = join(folder, 'app fleet.json');
  const boundFolder = join(folder, 'app');
  await writeFile(bound, '');
  await mkdir(boundFolder);
  execFileSync('mount', ['--bind', file, bound]);
  execFileSync('mount', ['--bind', join(folder, 'srv'), boundFolder]);
  try {
    await expect(memoryStore({ file: bound }).open()).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining('Mount the folder') as unknown,
    });
    const first = memoryStore({ file: join(boundFolder, 'fleet.json') });
    await first.open();
    await expect(memoryStore({ file }).open()).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await first.close();
  } finally {
    execFileSync('umount', ['--lazy', bound]);
    execFileSync('umount', ['--lazy', boundFolder]);
  }
});
