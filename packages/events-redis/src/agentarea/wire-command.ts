import { kindOf } from '@mcpinfra/core/plugin';
import type { AgentAreaMessage } from './message.js';

/** What a message asks for. */
export type WireCommand = {
  readonly eventId: string;
  readonly at: string;
  readonly instanceId: string;
} & (
  | {
      readonly kind: 'create';
      readonly name: string;
      readonly serverSpecId: string | null;
      readonly jsonSpec: unknown;
    }
  | { readonly kind: 'update'; readonly jsonSpec: unknown }
  | { readonly kind: 'delete' | 'start' | 'stop' }
);

/** The events that are listened to, and what each asks for. */
export const commandKinds = {
  MCPServerInstanceCreated: 'create',
  MCPServerInstanceUpdated: 'update',
  MCPServerInstanceStarted: 'start',
  MCPServerInstanceStopped: 'stop',
  MCPServerInstanceDeleted: 'delete',
} as const;

/** A command, a fault that makes it none, or `null` for a message that asks for nothing. */
export type ReadCommand = { readonly command: WireCommand } | { readonly fault: string } | null;

/** Reads what a message asks for. */
export function readCommand({ type, eventId, at, data }: AgentAreaMessage): ReadCommand {
  if (!isCommandType(type)) return { fault: `Expected one of ${Object.keys(commandKinds).join(', ')}.` };
  const kind = commandKinds[type];
  const { instance_id: id, name, server_spec_id: serverSpecId, json_spec: jsonSpec } = data;
  const isOptional = kind !== 'create' && kind !== 'delete';
  // The platform publishes these with nothing in them.
  if (isOptional && Object.keys(data).length === 0) return null;
  if (typeof id !== 'string' || id === '')
    return { fault: `Expected data.instance_id to be the id of an instance, but got ${kindOf(id)}.` };
  const subject = { eventId, at, instanceId: id.toLowerCase() };
  if (kind === 'create') {
    if (typeof name !== 'string' || name.trim() === '')
      return { fault: `Expected data.name to be the name of the instance, but got ${kindOf(name)}.` };
    const server = typeof serverSpecId === 'string' && serverSpecId !== '' ? serverSpecId : null;
    return { command: { ...subject, kind, name, serverSpecId: server, jsonSpec } };
  }
  if (kind === 'update') return jsonSpec === undefined ? null : { command: { ...subject, kind, jsonSpec } };
  return { command: { ...subject, kind } };
}

function isCommandType(type: string): type is keyof typeof commandKinds {
  return Object.hasOwn(commandKinds, type);
}
