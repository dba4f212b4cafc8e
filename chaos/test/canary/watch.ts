import { consoleLogger } from '@mcpinfra/core';
import type { Logger } from '@mcpinfra/core/plugin';
import { onTestFinished, vi } from 'vitest';
import type { Ledger } from './ledger.js';

/** A logger at the level of debug, and the console logger, whose every line is looked at. */
export function loggerInto(ledger: Ledger): Logger {
  const shown = consoleLogger({
    level: 'debug',
    stream: { write: (text) => ledger.see('console logger', text) },
  });
  const line =
    (level: keyof Logger): Logger['debug'] =>
    (message, fields) => {
      ledger.see('log line', { level, message, fields });
      shown[level](message, fields);
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** Looks at whatever is printed until the test is over. */
export function watchConsole(ledger: Ledger): void {
  const see = (...printed: readonly unknown[]): void => ledger.see('console', printed);
  // The runner has put a console of its own in the place of Node's.
  const spies = (['debug', 'log', 'info', 'warn', 'error'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(see),
  );
  const streams = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write.bind(stream) as (...args: readonly unknown[]) => boolean;
    return vi.spyOn(stream, 'write').mockImplementation((...args: readonly unknown[]) => {
      see(args[0]);
      return write(...args);
    });
  });
  process.on('warning', see);
  onTestFinished(() => {
    for (const spy of [...spies, ...streams]) spy.mockRestore();
    process.off('warning', see);
  });
}
