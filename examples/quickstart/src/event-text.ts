import type { Event } from '@mcpinfra/core';
import type { Screen } from './screen.js';
import { colourOf } from './status-table.js';

/** Pads the name of a server or instance, so that what is told of it stands below each other. */
export function inColumn(name: string): string {
  return name.padEnd(19);
}

/** Tells an event as a line; `undefined` for one that the lines around it tell already. */
export function eventText(event: Event, screen: Screen): string | undefined {
  if (event.type === 'MCPServerCreated') return `${inColumn(event.data.name)}server registered`;
  if (event.type === 'MCPServerInstanceCreated') return `${inColumn(event.data.name)}instance created`;
  if (event.type === 'MCPServerInstanceRemoved') return `${inColumn(event.data.name)}nothing of it is left`;
  if (event.type !== 'MCPServerInstanceStatusChanged') return undefined;
  const { name, from, to, reason, toolCount } = event.data;
  const why = reason === '' ? '' : `  ${reason}`;
  const tools = to === 'running' && toolCount !== null ? `  ${toolCount} tools` : '';
  return `${inColumn(name)}${from} → ${screen.paint(to, colourOf(to))}${why}${tools}`;
}
