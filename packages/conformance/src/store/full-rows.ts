import { randomUUID } from 'node:crypto';
import type { InstanceRecord, MCPServer } from '@mcpinfra/core/plugin';
import { exampleInstance, exampleServer, timeAfter } from './example-rows.js';

/** Texts that a store must give back as they are. */
export const awkwardText =
  'é ≠ é, 日本語, 🦊👩‍👩‍👧, \'quote\' "double" \\back\\slash \\u0041 %s $1 {a,b}\r\n\t end ';

/** Numbers that JSON can express and that columns often cannot. */
export const awkwardNumbers = [
  0,
  -1,
  0.1,
  1e-7,
  1e21,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2 ** 31,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
];

const nested = {
  fooBar: { foo_bar: [{ '': null, 'a.b': true, "it's": [[], {}, [null, false]] }] },
  numbers: awkwardNumbers,
  [awkwardText]: awkwardText,
};

/** A server with something in every field. */
export function fullServer(): MCPServer {
  return exampleServer({
    tenant: awkwardText,
    name: awkwardText,
    description: awkwardText,
    version: awkwardText,
    dockerImageUrl: awkwardText,
    tags: [awkwardText, '', 'b', 'a', 'b'],
    status: 'deprecated',
    isPublic: false,
    envSchema: [
      {
        name: awkwardText,
        type: 'number',
        description: '',
        required: false,
        secret: false,
        default: 0.5,
        choices: ['a', 1, false],
        placeholder: awkwardText,
        format: 'uuid',
        value: awkwardText,
      },
    ],
    jsonSpec: nested,
    labels: { [awkwardText]: awkwardText, '': '' },
    createdAt: '1999-12-31T23:59:59.000Z',
    updatedAt: '2099-01-01T00:00:00.100Z',
  });
}

/** An instance with something in every field. */
export function fullInstance(): InstanceRecord {
  const copy = { revision: 2 ** 40, runHash: awkwardText, spec: { ...nested, type: 'docker' } };
  return exampleInstance({
    tenant: awkwardText,
    name: awkwardText,
    description: awkwardText,
    serverSpecId: randomUUID(),
    serverResourceVersion: 2 ** 40,
    jsonSpec: { ...nested, type: awkwardText, environment: { A: awkwardText, B: '' } },
    slug: awkwardText,
    desiredState: 'stopped',
    status: 'failed',
    statusDetail: {
      reason: 'OUT_OF_MEMORY',
      message: awkwardText,
      since: timeAfter(1),
      restartCount: 7,
      nextRetryAt: timeAfter(2),
      lastExit: {
        at: timeAfter(3),
        exitCode: 137,
        signal: 'SIGKILL',
        oomKilled: true,
        lastLogLines: [awkwardText, ''],
        code: 'OUT_OF_MEMORY',
      },
      endpoint: { transport: 'streamable-http', url: 'http://[::1]:1/mcp?a=%20' },
      health: { state: 'unauthorized', message: awkwardText, since: timeAfter(4) },
    },
    generation: 2 ** 40,
    observedGeneration: 3,
    url: 'https://example.test/mcp/a',
    labels: { [awkwardText]: awkwardText, '': '' },
    createdAt: '1999-12-31T23:59:59.000Z',
    updatedAt: '2099-01-01T00:00:00.100Z',
    runtime: {
      placement: awkwardText,
      active: copy,
      candidate: { ...copy, revision: 3 },
      lastRevision: 2 ** 40,
      refusedGeneration: 3,
      renew: true,
      secretsVersion: 4,
      deleteRequestedAt: timeAfter(5),
      failures: 6,
      steadySince: timeAfter(6),
      wantedUntil: timeAfter(7),
      pinned: {
        name: awkwardText,
        version: awkwardText,
        resourceVersion: 2,
        dockerImageUrl: awkwardText,
        jsonSpec: nested,
        envSchema: [{ name: 'A' }],
      },
      handshake: {
        at: timeAfter(8),
        era: 'modern',
        protocolVersion: '2026-07-28',
        serverName: awkwardText,
        serverVersion: awkwardText,
        tools: [{ name: awkwardText, description: awkwardText, inputSchema: nested, extra: nested }],
      },
      ownedSecretScopes: [awkwardText],
      appliedKeys: [awkwardText, ''],
      correlationId: awkwardText,
      leaseEpoch: 0,
    },
  });
}
