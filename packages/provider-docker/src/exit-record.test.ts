import { describe, expect, it } from 'vitest';
import { startFailureCode } from './engine-failure.js';
import { toExitRecord, type ExitFacts } from './exit-record.js';
import { registryOf, withTag } from './image-reference.js';
import { pullFailure } from './images.js';
import { PullProgress } from './pull-progress.js';

const exit = (facts: Partial<ExitFacts>) =>
  toExitRecord({
    finishedAt: '2026-01-01T00:00:00.5Z',
    exitCode: 1,
    oomKilled: false,
    withEngine: false,
    lines: [],
    ...facts,
  });

describe('how a container ended', () => {
  it.each<[facts: Partial<ExitFacts>, code: string | undefined, signal: string | null]>([
    [{ exitCode: 0 }, undefined, null],
    [{ exitCode: 3 }, undefined, null],
    [{ exitCode: 137 }, undefined, 'SIGKILL'],
    [{ exitCode: 143 }, undefined, 'SIGTERM'],
    [{ exitCode: 137, oomKilled: true }, 'OUT_OF_MEMORY', 'SIGKILL'],
    [{ exitCode: 134 }, 'OUT_OF_MEMORY', 'SIGABRT'],
    [{ exitCode: 5, lines: ['FATAL ERROR: JavaScript heap out of memory'] }, 'OUT_OF_MEMORY', null],
    [{ exitCode: 137, withEngine: true }, 'ENGINE_RESTARTED', 'SIGKILL'],
    [
      { exitCode: 127, lines: ['[FATAL tini (7)] exec x failed: No such file or directory'] },
      'COMMAND_NOT_FOUND',
      null,
    ],
    [
      { exitCode: 126, lines: ['[FATAL tini (7)] exec x failed: Permission denied'] },
      'COMMAND_NOT_EXECUTABLE',
      null,
    ],
    [{ exitCode: 127, lines: ['sh: x: not found'] }, undefined, null],
  ])('%j', (facts, code, signal) => {
    const record = exit(facts);
    expect(record.code).toBe(code);
    expect(record.signal).toBe(signal);
    expect(record.at).toBe('2026-01-01T00:00:00.500Z');
  });

  it('keeps the last 20 lines, each at most 1,000 characters', () => {
    const { lastLogLines } = exit({ lines: [...Array<string>(50).fill('a'), 'x'.repeat(2_000)] });
    expect(lastLogLines).toHaveLength(20);
    expect(lastLogLines.at(-1)).toHaveLength(1_006);
  });
});

describe('what an engine says of a start', () => {
  it.each([
    [
      'OCI runtime create failed: exec: "/x": stat /x: no such file or directory: unknown',
      'COMMAND_NOT_FOUND',
    ],
    ['runc create failed: exec: "x": executable file not found in $PATH', 'COMMAND_NOT_FOUND'],
    ['crun: executable file `x` not found in $PATH: No such file or directory', 'COMMAND_NOT_FOUND'],
    ['OCI runtime create failed: exec: "/x": permission denied: unknown', 'COMMAND_NOT_EXECUTABLE'],
    ['No command specified', 'COMMAND_NOT_FOUND'],
    ['unable to find user x: no matching entries in passwd file', 'INVALID_SPEC'],
    [
      'OCI runtime create failed: chdir to cwd ("/x") set in config.json failed: permission denied',
      'WORKDIR_NOT_FOUND',
    ],
    ['No such image: x:latest', 'IMAGE_NOT_FOUND'],
    // Of an engine that is going down: nothing is wrong with the program.
    [
      'failed to update store for object type *libnetwork.endpoint: open : no such file or directory',
      undefined,
    ],
    ['error while creating mount source path: permission denied', undefined],
  ])('%s', (said, code) => {
    expect(startFailureCode(said)).toBe(code);
  });
});

describe('an image', () => {
  it('is asked for by one tag, of its registry', () => {
    expect(['a', 'a/b', 'r:5000/a', 'a:1', 'r:5000/a:1', 'a@sha256:0'].map(withTag)).toEqual([
      'a:latest',
      'a/b:latest',
      'r:5000/a:latest',
      'a:1',
      'r:5000/a:1',
      'a@sha256:0',
    ]);
    expect(['a', 'a/b', 'ghcr.io/a', 'r:5000/a', 'localhost/a'].map(registryOf)).toEqual([
      'https://index.docker.io/v1/',
      'https://index.docker.io/v1/',
      'ghcr.io',
      'r:5000',
      'localhost',
    ]);
  });

  it.each<[said: string, hasCredentials: boolean, code: string]>([
    ['manifest for x:1 not found: manifest unknown', false, 'IMAGE_NOT_FOUND'],
    [
      "pull access denied for x, repository does not exist or may require 'docker login'",
      false,
      'IMAGE_NOT_FOUND',
    ],
    [
      "pull access denied for x, repository does not exist or may require 'docker login'",
      true,
      'IMAGE_PULL_DENIED',
    ],
    ['unauthorized: incorrect username or password', true, 'IMAGE_PULL_DENIED'],
    ['no basic auth credentials', false, 'IMAGE_PULL_DENIED'],
    ['toomanyrequests: You have reached your pull rate limit', false, 'IMAGE_PULL_FAILED'],
    ['dial tcp: lookup registry-1.docker.io: no such host', false, 'IMAGE_PULL_FAILED'],
    ['connection refused', false, 'IMAGE_PULL_FAILED'],
  ])('that cannot be fetched: %s', (said, hasCredentials, code) => {
    expect(pullFailure('x:1', said, hasCredentials).code).toBe(code);
  });

  it('is fetched layer by layer', () => {
    const progress = new PullProgress();
    expect(progress.totalBytes).toBeNull();
    const line = (id: string, status: string, detail: object = {}) =>
      progress.take({ id, status, progressDetail: detail });
    expect(line('a', 'Pulling fs layer')).toBe(false);
    expect(line('a', 'Downloading', { current: 10, total: 100 })).toBe(true);
    expect(line('b', 'Downloading', { current: 5, total: 50 })).toBe(true);
    expect([progress.completedBytes, progress.totalBytes]).toEqual([15, 150]);
    expect(line('b', 'Download complete')).toBe(true);
    expect([progress.completedBytes, progress.totalBytes]).toEqual([60, 150]);
    progress.take({ error: 'gone' });
    expect(progress.error).toBe('gone');
    for (const garbage of [null, 1, 'x', {}, { id: 1 }]) expect(progress.take(garbage)).toBe(false);
  });
});
