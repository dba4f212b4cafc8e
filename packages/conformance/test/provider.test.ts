import { providerRequirements, providerSuite } from '@mcpinfra/conformance/provider';
import { describe, expect, it } from 'vitest';
import { fakeProviderHarness } from './support/fake-provider-harness.js';

describe.each(['docker', 'local', 'remote'] as const)('the fake provider of type %s', (type) => {
  providerSuite({ it, create: () => fakeProviderHarness(type) });
});

it('has an id for each requirement, which says its topic, and one sentence', () => {
  expect(new Set(providerRequirements.map(({ id }) => id)).size).toBe(providerRequirements.length);
  for (const { id, text } of providerRequirements) {
    expect(id).toMatch(/^provider\/[a-z]+\/[a-z-]+$/u);
    expect(text).toMatch(/^[A-Za-z].*\.$/u);
  }
});
