import { expect, it } from 'vitest';
import type { Logger } from '../plugin.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { safeLogger } from './safe-logger.js';

it('hands lines on to the logger, bound to it', () => {
  const recording = recordingLogger();
  const logger = safeLogger(recording);
  logger.debug('a');
  logger.info('b', { n: 1 });
  logger.warn('c');
  logger.error('d');
  expect(recording.lines).toEqual([
    { level: 'debug', message: 'a', fields: {} },
    { level: 'info', message: 'b', fields: { n: 1 } },
    { level: 'warn', message: 'c', fields: {} },
    { level: 'error', message: 'd', fields: {} },
  ]);
});

it('lets no field take the place of a part of the line itself', () => {
  const lines: string[] = [];
  // As hosts wrap pino: the fields are merged with what a line consists of, and the last of a name wins.
  const pino = (level: number) => (msg: string, fields?: object) =>
    void lines.push(JSON.stringify({ level, time: 5, msg, message: msg, ...fields }));
  const logger = safeLogger({ debug: pino(20), info: pino(30), warn: pino(40), error: pino(50) });
  logger.warn('a probe failed', { message: 'late', msg: 1, level: 'high', time: 'noon', instance: 'one' });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 40,
      time: 5,
      msg: 'a probe failed',
      message: 'a probe failed',
      message_: 'late',
      msg_: 1,
      level_: 'high',
      time_: 'noon',
      instance: 'one',
    },
  ]);
});

it('survives a logger that throws, rejects or lacks a method', async () => {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  const broken = {
    debug: () => {
      throw new Error('disk full');
    },
    info: async () => {
      throw new Error('socket closed');
    },
  } as unknown as Logger;
  const logger = safeLogger(broken);
  logger.debug('a');
  logger.info('b');
  logger.error('c');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
});

it('is silent without a logger', () => {
  expect(() => safeLogger(undefined).error('nobody hears')).not.toThrow();
});
