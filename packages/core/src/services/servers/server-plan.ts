import type { Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import { pinServer } from '../context/move-to-definition.js';
import { instancesOfServer } from './roll-out.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import { buildRunDocument, runHash } from '../context/run-document.js';
import { forbiddenReferences } from '../context/scope-access.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** What a change of a server would mean for one of its instances. */
export interface ServerPlanInstance {
  readonly id: string;
  readonly name: string;
  /**
   * With `rollout: 'rolling'`: `replace` the running copy (start, probe, switch), `start-later` with another copy than the
   * last, `record` a change that needs no new copy, or `none`; `invalid` refuses the whole roll-out.
   */
  readonly effect: 'replace' | 'start-later' | 'record' | 'none' | 'invalid';
  /** What would be wrong with it, by JSON pointers into the instance; nothing where it stays valid. */
  readonly issues: readonly Issue[];
  /** Variables it has in clear that would be secrets; a roll-out does not move them, an update of the instance does. */
  readonly secretsInClear: readonly string[];
}

/** What a change of a server would do. */
export interface ServerPlan {
  /** Whether the change itself is valid, and every instance under it: whether it could be rolled out. */
  readonly valid: boolean;
  /** What is wrong with the change itself. */
  readonly issues: readonly Issue[];
  /** Its instances in its own tenant, which a roll-out reaches; none where the change itself is not valid. */
  readonly instances: readonly ServerPlanInstance[];
}

/** Says what a server, changed like this, would mean for its instances; changes nothing. */
export async function planServer(
  context: ServiceContext,
  change: { readonly current: MCPServer; readonly next: MCPServer },
  options: CommandOptions,
): Promise<ServerPlan> {
  const { current, next } = change;
  const records = await instancesOfServer(context, current, { signal: options.signal });
  const same = canonicalJson(next) === canonicalJson(current);
  const instances: ServerPlanInstance[] = [];
  for (const record of records) {
    if (record.status !== 'deleting') instances.push(await planInstance(context, record, same ? null : next));
  }
  return { valid: instances.every(({ effect }) => effect !== 'invalid'), issues: [], instances };
}

async function planInstance(
  context: ServiceContext,
  record: InstanceRecord,
  next: MCPServer | null,
): Promise<ServerPlanInstance> {
  const { id, name } = record;
  // An update that changes nothing rolls nothing out, also where an instance is of an older definition.
  if (!next) return { id, name, effect: 'none', issues: [], secretsInClear: [] };
  const { spec, issues, secretsInClear } = await buildRunDocument(context, pinServer(next), record.jsonSpec);
  const all = [...issues, ...(spec ? forbiddenReferences(context, record, spec) : [])];
  if (!spec || all.length > 0) {
    const placed = all.map((issue) => ({ ...issue, path: `/jsonSpec${issue.path}` }));
    return { id, name, effect: 'invalid', issues: placed, secretsInClear };
  }
  const before = await hashBefore(context, record);
  const effect =
    runHash(spec, record.runtime) === before ? 'record' : isServing(record) ? 'replace' : 'start-later';
  return { id, name, effect, issues: [], secretsInClear };
}

/** The digest of what runs, or of what would be started now. */
async function hashBefore(context: ServiceContext, record: InstanceRecord): Promise<string | null> {
  const { active, pinned } = record.runtime;
  if (active) return active.runHash;
  const { spec } = await buildRunDocument(context, pinned, record.jsonSpec);
  return spec && runHash(spec, record.runtime);
}
