import type { LogFields } from '../../plugin.js';
import { printable, printableSpan } from './printable.js';

/** How parts of a line are made to stand out. */
export type Paint = (text: string, colour: 'green' | 'yellow' | 'red' | 'dim') => string;

const colours: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  running: 'green',
  unhealthy: 'yellow',
  failed: 'red',
};

/** Writes what happened to an instance: `fs-1  starting → running 0.7 s (14 tools)`. */
export function transitionLine(fields: LogFields, nowMs: number, paint: Paint): string {
  const { instance, from, to, reason, lastedMs, toolCount } = fields;
  const target = printable(to);
  const colour = colours[target];
  const parts = [
    `${printable(instance)}  ${paint(`${printable(from)} →`, 'dim')} ${colour ? paint(target, colour) : target}`,
  ];
  if (to === 'running' && typeof lastedMs === 'number') parts.push(printableSpan(lastedMs));
  if (to === 'running' && typeof toolCount === 'number')
    parts.push(`(${toolCount} tool${toolCount === 1 ? '' : 's'})`);
  if (typeof reason === 'string' && reason !== '') parts.push(why(reason, fields), ...nextTry(fields, nowMs));
  return parts.join(' ');
}

function why(reason: string, { explanation, remedy }: LogFields): string {
  const said = printable(explanation ?? '');
  const advice = printable(remedy ?? '');
  // A message of ours often ends in what to do already.
  return `${printable(reason)}: ${[said, said.includes(advice) ? '' : advice].filter((text) => text !== '').join(' ')}`;
}

function nextTry({ to, nextRetryAt }: LogFields, nowMs: number): string[] {
  const at = typeof nextRetryAt === 'string' ? Date.parse(nextRetryAt) : Number.NaN;
  if (!Number.isNaN(at)) return [`Next try in ${printableSpan(at - nowMs)}.`];
  return to === 'failed' ? ['Not tried again by itself.'] : [];
}
