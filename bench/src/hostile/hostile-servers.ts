import { setTimeout as delay } from 'node:timers/promises';
import type { MCPInfra } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { hostileServer } from '@mcpinfra/tools';

const manyBytes = String(100 * 2 ** 20);
const stdio = { transport: 'stdio' } as const;
const http = { port: 'auto' } as const;

const hostile: readonly (readonly [
  readonly [string, ...string[]],
  Pick<ProcessSpec, 'port' | 'transport'>,
])[] = [
  [['never-read'], stdio],
  [['flood'], stdio],
  [['flood-stderr'], stdio],
  [['garbage'], stdio],
  [['reuse-ids'], stdio],
  [['endless-lists'], stdio],
  [['huge-list'], stdio],
  [['huge', '--bytes', manyBytes], stdio],
  [['huge', '--http', '--bytes', manyBytes], http],
  [['gzip-bomb'], http],
  [['retry-0'], http],
];

/** Puts hostile servers into a fleet and calls each again and again; what is returned removes them. */
export async function provokeHostile(infra: MCPInfra): Promise<() => Promise<void>> {
  const ended = new AbortController();
  const { signal } = ended;
  const provoke = async (id: string): Promise<void> => {
    while (!signal.aborted) {
      await infra.instances.callTool(id, 'echo', { text: 'x' }, { signal }).catch(() => undefined);
      await delay(500, undefined, { signal }).catch(() => undefined);
    }
  };
  const provoking: Promise<void>[] = [];
  const ids: string[] = [];
  for (const [command, way] of hostile) {
    const name = `hostile-${command.filter((word) => /^[a-z]/u.test(word)).join('-')}-${way.transport ?? 'http'}`;
    const jsonSpec: ProcessSpec = {
      type: 'process',
      command: [process.execPath, hostileServer, ...command],
      ...way,
    };
    const { id } = await infra.instances.create({ name, jsonSpec });
    ids.push(id);
    provoking.push(provoke(id));
  }
  return async () => {
    ended.abort();
    await Promise.all(provoking);
    await Promise.all(ids.map((id) => infra.instances.delete(id, { wait: true })));
  };
}
