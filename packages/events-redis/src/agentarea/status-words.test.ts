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

it('tells nothing where only the health or the reason changed', () => {
  expect(told('running', 'running')).toEqual([undefined]);
  expect(told('unhealthy', 'failed')).toEqual([undefined]);
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
