import type { Event, EventMap, InstanceStatus } from '@mcpinfra/core/plugin';
import { expect, it } from 'vitest';
import { announcementOf } from './status-words.js';

type Change = EventMap['MCPServerInstanceStatusChanged'];

function told(...steps: readonly InstanceStatus[]): (string | undefined)[] {
  return steps.slice(1).map((to, i) => announce({ from: steps[i] ?? to, to })?.status);
}

function announce(data: Partial<Change>) {
  return announcementOf({
    type: 'MCPServerInstanceStatusChanged',
    data: { reason: '', message: '', endpoint: null, ...data },
  } as Event<'MCPServerInstanceStatusChanged'>);
}

it('tells a start as starting and running, once each, with or without a pull', () => {
  expect(told('pending', 'pulling', 'starting', 'running')).toEqual(['starting', undefined, 'running']);
  expect(told('pending', 'starting', 'running')).toEqual(['starting', 'running']);
});

it('tells again of what runs where the platform was told something else, and of what failed only once', () => {
  expect(announce({ from: 'running', to: 'running' })).toEqual({
    status: 'running',
    url: undefined,
    ifChanged: true,
  });
  expect(told('unhealthy', 'failed')).toEqual([undefined]);
});

it('tells another address of what runs on', () => {
  const endpoint = { transport: 'streamable-http', url: 'http://10.201.0.3:8000/mcp' } as const;
  expect(announce({ from: 'running', to: 'running', endpoint })).toMatchObject({
    url: endpoint.url,
    ifChanged: true,
  });
});

it('tells an update that was rolled back as an error of what runs on', () => {
  const data = { reason: 'UPDATE_ROLLED_BACK', message: 'The update failed.' } as const;
  expect(announce({ from: 'running', to: 'running', ...data })).toEqual({
    status: 'running',
    error: 'UPDATE_ROLLED_BACK: The update failed.',
    ifChanged: true,
  });
});

it('tells an engine that is away as a failure of what runs there, and as an error of what waits for it', () => {
  const data = { reason: 'PLACEMENT_UNREACHABLE', message: 'No worker reaches it.' } as const;
  const error = 'PLACEMENT_UNREACHABLE: No worker reaches it.';
  expect(announce({ from: 'running', to: 'running', ...data })).toEqual({
    status: 'failed',
    error,
    ifChanged: true,
  });
  expect(announce({ from: 'pending', to: 'pending', ...data })).toEqual({ error, ifChanged: true });
});

it('tells a stop and sleep as stopped, and nothing of what is on its way out', () => {
  expect(told('running', 'stopping', 'stopped')).toEqual([undefined, 'stopped']);
  expect(told('running', 'stopping', 'idle')).toEqual([undefined, 'stopped']);
  expect(told('running', 'deleting')).toEqual([undefined]);
});

it('tells what does not answer as failed, and when it does again', () => {
  expect(told('running', 'unhealthy', 'running')).toEqual(['failed', 'running']);
});

it('says of a failure the code for machines and the sentence for people', () => {
  const failed = announce({
    from: 'pulling',
    to: 'failed',
    reason: 'IMAGE_NOT_FOUND',
    message: 'No image "x".',
  });
  expect(failed).toEqual({ status: 'failed', error: 'IMAGE_NOT_FOUND: No image "x".' });
});

it('says of what runs where it is reached', () => {
  const endpoint = { transport: 'streamable-http', url: 'http://10.201.0.2:8000/mcp' } as const;
  expect(announce({ from: 'starting', to: 'running', endpoint })).toEqual({
    status: 'running',
    url: endpoint.url,
  });
});
