import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const many = Array.from({ length: 40 }, (_, n) => `N${String(n)}`);

it('takes in every one of many patches that are written at once', async () => {
  await using t = await createTestInfra();
  const { infra } = t;
  const jsonSpec = { type: 'docker', image: 'mcp/test' } as const;
  const { id } = await infra.instances.create({ name: 'one', jsonSpec, desiredState: 'stopped' });
  await Promise.all(many.map((name) => infra.instances.update(id, { labels: { [name]: 'x' } })));
  await Promise.all(
    many.map((name) => infra.instances.update(id, { jsonSpec: { environment: { [name]: 'x' } } })),
  );
  await Promise.all(many.map((name) => infra.environment.set(id, `E${name}`, 'x')));
  const instance = await infra.instances.get(id);
  expect(Object.keys(instance.labels)).toHaveLength(many.length);
  expect(Object.keys(instance.jsonSpec.environment ?? {})).toHaveLength(2 * many.length);
});

it('takes in every one of many patches of a definition, and one alone of those for the same version', async () => {
  await using t = await createTestInfra();
  const { servers } = t.infra;
  const { id } = await servers.register({ name: 'one' });
  await Promise.all(many.map((name) => servers.update(id, { description: name })));
  const { resourceVersion: ifResourceVersion } = await servers.get(id);
  const ended = await Promise.allSettled(
    many.map((name) => servers.update(id, { description: `${name} again` }, { ifResourceVersion })),
  );
  const refused = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(refused).toHaveLength(many.length - 1);
  for (const error of refused) expect(error).toMatchObject({ code: 'CONFLICT' });
});
