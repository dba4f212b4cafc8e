import type { EventDraft } from '../../domain/events/event.js';
import type { InstanceRecord, ToolDescription } from '../../domain/instance/instance-record.js';
import { draftEvent, instanceOrigin, instanceSubject } from '../context/event-drafts.js';
import type { ServiceContext } from '../context/service-context.js';

/** The event that tells which tools came, went and changed; `undefined` when none did. */
export function toolsChanged(
  context: ServiceContext,
  record: InstanceRecord,
  tools: readonly ToolDescription[],
): EventDraft | undefined {
  const before = new Map(
    (record.runtime.handshake?.tools ?? []).map((tool) => [tool.name, JSON.stringify(tool)]),
  );
  const after = new Map(tools.map((tool) => [tool.name, JSON.stringify(tool)]));
  const added = [...after.keys()].filter((name) => !before.has(name));
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const changed = [...after]
    .filter(([name, text]) => before.has(name) && before.get(name) !== text)
    .map(([name]) => name);
  // The first list of an instance is no change.
  if (record.runtime.handshake === null || added.length + removed.length + changed.length === 0)
    return undefined;
  return draftEvent(context, instanceOrigin(record), {
    type: 'MCPServerInstanceToolsChanged',
    data: { ...instanceSubject(record), added, removed, changed },
  });
}
