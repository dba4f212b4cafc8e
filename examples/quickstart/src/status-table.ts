import type { InstanceStatus, MCPServerInstance } from '@mcpinfra/core';
import type { Colour, Screen } from './screen.js';

/** A row of the table. */
export interface StatusRow {
  readonly instance: MCPServerInstance;
  readonly toolCount: number;
  readonly pids: readonly number[];
}

const headings = ['INSTANCE', 'TYPE', 'STATUS', 'HEALTH', 'TOOLS', 'RESTARTS', 'TRANSPORT', 'PID'];

/** Prints how every instance is. */
export function printStatusTable(screen: Screen, rows: readonly StatusRow[]): void {
  const texts = rows.map(({ instance: { name, jsonSpec, status, statusDetail }, toolCount, pids }) => [
    name,
    jsonSpec.type,
    status,
    statusDetail.health.state,
    String(toolCount),
    String(statusDetail.restartCount),
    statusDetail.endpoint?.transport ?? '-',
    pids.join(' ') || '-',
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...texts.map((cells) => cells[column]?.length ?? 0)),
  );
  const padded = (cells: readonly string[]): string[] =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));

  screen.line();
  screen.line(screen.paint(`  ${padded(headings).join('  ').trimEnd()}`, 'dim'));
  texts.forEach((cells, index) => {
    const [name = '', type = '', status = '', ...rest] = padded(cells);
    const colour = colourOf(rows[index]?.instance.status);
    screen.line(`  ${[name, type, screen.paint(status, colour), ...rest].join('  ').trimEnd()}`);
  });
}

/** The colour of a status. */
export function colourOf(status: InstanceStatus | undefined): Colour {
  if (status === 'running') return 'green';
  return status === 'failed' || status === 'unhealthy' ? 'red' : 'yellow';
}
