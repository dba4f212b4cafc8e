import { describe, expect, it } from 'vitest';
import { Secret } from '../plugin.js';
import { consoleLogger, type ConsoleLoggerOptions } from './console-logger.js';

function recording(options: ConsoleLoggerOptions & { isTTY?: boolean; columns?: number } = {}) {
  const { isTTY = false, columns = 80, ...rest } = options;
  let text = '';
  const stream = { isTTY, columns, write: (piece: string) => (text += piece) };
  return { logger: consoleLogger({ stream, ...rest }), text: () => text };
}

const changed = 'instance status changed';

describe('consoleLogger', () => {
  it('prints a start with how long it took and how many tools there are', () => {
    const { logger, text } = recording();
    logger.info(changed, {
      instance: 'fs-1',
      from: 'starting',
      to: 'running',
      reason: '',
      lastedMs: 712,
      toolCount: 14,
    });
    logger.info(changed, {
      instance: 'fs-2',
      from: 'idle',
      to: 'pending',
      reason: '',
      lastedMs: 5,
      toolCount: null,
    });
    expect(text()).toBe('fs-1  starting → running 0.7 s (14 tools)\nfs-2  idle → pending\n');
  });

  it('ends a failure in what to change and when the next try is', () => {
    const { logger, text } = recording();
    const failure = {
      instance: 'fs-1',
      from: 'starting',
      to: 'failed',
      reason: 'COMMAND_NOT_FOUND',
      explanation: 'There is no command "mpc".\nlast line',
      remedy: 'Install the command.',
    };
    logger.info(changed, { ...failure, nextRetryAt: new Date(Date.now() + 2_040).toISOString() });
    logger.info(changed, { ...failure, nextRetryAt: null, explanation: 'Gone. Install the command.' });
    expect(text().split('\n')).toEqual([
      'fs-1  starting → failed COMMAND_NOT_FOUND: There is no command "mpc". last line Install the command. Next try in 2 s.',
      'fs-1  starting → failed COMMAND_NOT_FOUND: Gone. Install the command. Not tried again by itself.',
      '',
    ]);
  });

  it('prints other messages with level and fields', () => {
    const { logger, text } = recording();
    logger.warn('bus is away', { part: 'redis', tries: 3, why: 'no route', skipped: undefined, empty: '' });
    logger.info('ready');
    logger.debug('hidden');
    expect(text()).toBe('warn  bus is away part=redis tries=3 why="no route" empty=""\ninfo  ready\n');
  });

  it('prints from its level on', () => {
    const { logger, text } = recording({ level: 'error' });
    logger.warn('no');
    logger.error('yes');
    expect(text()).toBe('error  yes\n');
  });

  it('prints at most one line for each tenth of a pull where it cannot redraw', () => {
    const { logger, text } = recording();
    for (let percent = 0; percent <= 100; percent += 1)
      logger.info('image pull progress', { instance: 'fs-1', percent });
    const lines = text().trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    expect(lines[4]).toBe('fs-1  pulling 40 %');
  });

  it('redraws a pull in place on a terminal and keeps it below other lines', () => {
    const { logger, text } = recording({ isTTY: true, columns: 30 });
    logger.info('image pull progress', { instance: 'fs-1', image: 'x', percent: 42.9 });
    logger.info('image pull progress', { instance: 'fs-2', image: 'x', percent: 1 });
    logger.info('hello');
    logger.info(changed, { instance: 'fs-1', from: 'pulling', to: 'starting' });
    const clear = '\r\u001b[2K';
    expect(text()).toBe(
      `${clear}fs-1  pulling 42 %` +
        `${clear}fs-1  pulling 42 %   fs-2  pu` +
        `${clear}info  hello\nfs-1  pulling 42 %   fs-2  pu` +
        `${clear}fs-2  pulling 1 %` +
        `${clear}fs-1  pulling → starting\nfs-2  pulling 1 %`,
    );
  });

  it('colours on request', () => {
    const { logger, text } = recording({ colour: true });
    logger.info(changed, { instance: 'a', from: 'starting', to: 'running' });
    expect(text()).toContain('\u001b[32mrunning\u001b[0m');
  });

  it('survives whatever it is given, and prints no secret', () => {
    const { logger, text } = recording();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const hostile = {
      toString: () => {
        throw new RangeError('no');
      },
      [Symbol.for('nodejs.util.inspect.custom')]: () => {
        throw new RangeError('no');
      },
    };
    const fields = {
      circular,
      hostile,
      big: 1n,
      secret: new Secret('hunter2'),
      symbol: Symbol('s'),
      escape: '\u001b[2Jx',
    };
    logger.info('odd', fields);
    logger.info(changed, fields);
    logger.info(changed, {
      instance: hostile,
      from: circular,
      to: undefined,
      reason: 5,
      nextRetryAt: 'never',
    });
    logger.info('image pull progress', { percent: Number.NaN });
    logger.info(undefined as never, null as never);
    expect(text()).toContain('hostile=[unprintable]');
    expect(text()).not.toContain('hunter2');
    expect(text()).not.toContain('\u001b');
    const broken = consoleLogger({
      stream: {
        write: () => {
          throw new RangeError('closed');
        },
      },
    });
    expect(() => broken.error('x')).not.toThrow();
  });
});
