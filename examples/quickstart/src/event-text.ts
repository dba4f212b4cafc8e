import type { Event } from '@mcpinfra/core';
import type { Screen } from './screen.js';
import { colourOf } from './status-table.js';

/** Tells an event as a line; `undefined` for one that the lines around it tell already. */
export function eventText(event: Event, screen: Screen): string | undefined {
  if (event.type === 'MCPServerCreated') return `${event.data.name.padEnd(12)}server registered`;
  if (event.type === 'MCPServerInstanceCreated') return `${event.data.name.padEnd(12)}instance created`;
  if (event.type === 'MCPServerInstanceRemoved') return `${event.data.name.padEnd(12)}nothing of it is left`;
  if (event.type !== 'MCPServerInstanceStatusChanged') return undefined;
  const { name, from, to, reason, toolCount } = event.data;
  const why = reason === '' ? '' : `  ${reason}`;
  const tools = to === 'running' && toolCount !== null ? `  ${toolCount} tools` : '';
  return `${name.padEnd(12)}${from} → ${screen.paint(to, colourOf(to))}${why}${tools}`;
}
