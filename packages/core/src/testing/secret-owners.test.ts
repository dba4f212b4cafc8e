import { describe, expect, it, vi } from 'vitest';
import { memorySecrets, memoryStore } from '../index.js';
import type { SecretContext, SecretResolver } from '../plugin.js';
import { createTestInfra, type TestInfra } from './create-test-infra.js';
import { manualClock } from './manual-clock.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;
const another = '11111111-2222-4333-8444-555555555555';
const tools = {
  env: (_args: unknown, { environment }: { environment: Readonly<Record<string, string>> }) => environment,
};

describe('a reference into the scope of another instance', () => {
  it('is refused in a create, whether that instance exists or not, by the same words', async () => {
    const secrets = memorySecrets();
    await using t = await createTestInfra({ tools, secrets: [secrets] });
    const a = t.infra.scope({ tenant: 'a' });
    const b = t.infra.scope({ tenant: 'b' });
    const mine = await a.instances.create({ name: 'a', jsonSpec: given({ API_KEY: 'canary-of-a' }) });
    const told: string[] = [];
    for (const id of [mine.id, another]) {
      const reference = `secret_ref:instance_${id}:API_KEY` as const;
      for (const scope of [a, b, t.infra]) {
        const create = scope.instances.create({ name: 'b', jsonSpec: given({ STOLEN: reference }) });
        const refusal: unknown = await create.catch((error: unknown) => error);
        expect(refusal).toMatchObject({
          code: 'INVALID_SPEC',
          details: { issues: [{ path: '/jsonSpec/environment/STOLEN', code: 'forbidden_reference' }] },
        });
        told.push((refusal as Error).message.replaceAll(id, '<id>'));
      }
    }
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toContain('allowScope');
  });

  it('is refused in an update, a plan, a dry run, an environment and the defaults of a server', async () => {
    await using t = await createTestInfra({ tools });
    const a = t.infra.scope({ tenant: 'a' });
    const text = `secret_ref:instance_${another}:K` as const;
    const { id } = await a.instances.create({ name: 'one', jsonSpec: docker });
    await t.settle();
    const forbidden = { code: 'forbidden_reference' };
    const invalid = { code: 'INVALID_SPEC', details: { issues: [forbidden] } };
    await expect(a.instances.update(id, { jsonSpec: { environment: { X: text } } })).rejects.toMatchObject(
      invalid,
    );
    await expect(a.environment.set(id, 'X', text)).rejects.toMatchObject(invalid);
    const patch = { jsonSpec: { environment: { X: text } } };
    expect(await a.instances.plan({ update: id, patch })).toMatchObject({
      valid: false,
      issues: [forbidden],
    });
    const wanted = { name: 'two', jsonSpec: given({ X: `Bearer \${${text}}` }) };
    expect(await a.instances.plan({ create: wanted })).toMatchObject({ valid: false, issues: [forbidden] });
    expect(await a.instances.validate(wanted)).toMatchObject({ valid: false, issues: [forbidden] });
    const planned = await a.apply({ instances: [wanted] }, { dryRun: true });
    expect(planned.errors[0]?.error.details['issues']).toMatchObject([forbidden]);
    const server = await a.servers.register({ name: 'fs', jsonSpec: { environment: { X: text } } });
    const made = a.instances.create({ name: 'three', serverSpecId: server.id, jsonSpec: docker });
    await expect(made).rejects.toMatchObject(invalid);
    const plain = await a.servers.register({ name: 'plain' });
    await a.instances.create({ name: 'four', serverSpecId: plain.id, jsonSpec: docker });
    const change = { jsonSpec: { environment: { X: text } } };
    expect((await a.servers.plan(plain.id, change)).instances[0]).toMatchObject({ issues: [forbidden] });
    await expect(a.servers.update(plain.id, change, { rollout: 'rolling' })).rejects.toMatchObject(invalid);
  });

  it('gets no value where it is in a row already, and says what to do', async () => {
    const clock = manualClock();
    const store = memoryStore({ clock });
    const secrets = memorySecrets({ 'shared:K': 'v', [`instance_${another}:K`]: 'canary-value' });
    let allowed = true;
    const allowScope = (): boolean => allowed;
    await using t = await createTestInfra({ tools, store, clock, secrets: [secrets], allowScope });
    const a = t.infra.scope({ tenant: 'a' });
    const { id } = await a.instances.create({ name: 'one', jsonSpec: given({ X: 'secret_ref:shared:K' }) });
    await t.settle();
    allowed = false;
    await a.instances.restart(id);
    await t.settle();
    const { status, statusDetail } = await a.instances.get(id);
    expect(status).toBe('failed');
    expect(statusDetail).toMatchObject({ reason: 'SECRET_FORBIDDEN', nextRetryAt: null });
    expect(statusDetail.message).toContain('secret_ref:shared:K');
    expect(statusDetail.message).toContain('allowScope');
    const row = (await store.instances.get(id)) ?? expect.fail();
    const jsonSpec = given({ X: `secret_ref:instance_${another}:K` });
    allowed = true;
    await store.updateInstance({ ...row, jsonSpec }, { events: [] });
    await a.instances.start(id);
    await t.settle();
    expect((await a.instances.get(id)).statusDetail.reason).toBe('SECRET_FORBIDDEN');
  });

  it.each(['instance_123', 'instance_', `instance_${another}x`, 'vault/team'])(
    'is none where the scope is %s, which is like any other',
    async (scope) => {
      const secrets = memorySecrets({ [`${scope}:API_KEY`]: 'value' });
      await using t = await createTestInfra({ tools, secrets: [secrets] });
      expect(await given1(t, t.infra, `secret_ref:${scope}:API_KEY`)).toBe('value');
    },
  );
});

describe('what an instance may name', () => {
  it('is by default its own scope and that of its tenant, where there are tenants', async () => {
    const id = '99999999-2222-4333-8444-555555555555';
    const values = {
      [`instance_${id}:K`]: 'own',
      'tenant_a:K': 'team',
      'tenant_b:K': 'other',
      'vault:K': 'v',
    };
    await using t = await createTestInfra({ tools, secrets: [memorySecrets(values)] });
    const a = t.infra.scope({ tenant: 'a' });
    expect(await given1(t, a, `secret_ref:instance_${id}:K`, id)).toBe('own');
    expect(await given1(t, a, 'secret_ref:tenant_a:K')).toBe('team');
    for (const reference of [
      'secret_ref:tenant_b:K',
      'secret_ref:vault:K',
      'secret_ref:tenant_:K',
    ] as const) {
      const create = a.instances.create({ name: reference, jsonSpec: given({ X: reference }) });
      await expect(create).rejects.toMatchObject({ details: { issues: [{ code: 'forbidden_reference' }] } });
    }
  });

  it('is the secret of a user only for a caller that is known', async () => {
    await using t = await createTestInfra({ secrets: [memorySecrets({ 'user:K': 'canary' })] });
    const a = t.infra.scope({ tenant: 'a' });
    const { id } = await a.instances.create({ name: 'one', jsonSpec: given({ X: 'secret_ref:user:K' }) });
    await t.settle();
    const { statusDetail } = await a.instances.get(id);
    expect(statusDetail.reason).toBe('SECRET_FORBIDDEN');
    expect(statusDetail.message).toContain('principal');
  });

  it('is decided by the host, who is told who asks; what throws or answers late refuses', async () => {
    const asked: unknown[] = [];
    const answers: unknown[] = [true];
    const secrets = memorySecrets({ 'vault:K': 'v' });
    await using t = await createTestInfra({
      tools,
      secrets: [secrets],
      allowScope: (request) => {
        asked.push(request);
        const answer = answers[0];
        if (answer instanceof Error) throw answer;
        if (answer === 'rejected') return Promise.reject(new Error('down')) as never;
        return answer as boolean;
      },
    });
    const a = t.infra.scope({ tenant: 'a' });
    const id = '99999999-2222-4333-8444-555555555556';
    expect(await given1(t, a, 'secret_ref:vault:K', id)).toBe('v');
    expect(asked[0]).toEqual({ scope: 'vault', tenant: 'a', instanceId: id, principal: null });
    const unheard = vi.fn();
    process.once('unhandledRejection', unheard);
    for (const answer of [false, Promise.resolve(true), 'rejected', new Error('down'), undefined]) {
      answers[0] = answer;
      const create = a.instances.create({ name: 'x', jsonSpec: given({ X: 'secret_ref:vault:K' }) });
      await expect(create).rejects.toMatchObject({ details: { issues: [{ code: 'forbidden_reference' }] } });
    }
    // Node tells of it when all that is due has been done.
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.removeListener('unhandledRejection', unheard);
    expect(unheard).not.toHaveBeenCalled();
  });

  it('is told to the backend with who asks', async () => {
    const contexts: SecretContext[] = [];
    const resolver: SecretResolver = {
      specificationVersion: 'v1',
      name: 'composite',
      resolve: async (references, context, options) => {
        contexts.push(context);
        return memorySecrets({ 'tenant_a:K': `of ${context.tenant}` }).resolve(references, context, options);
      },
    };
    await using t = await createTestInfra({ tools, secrets: [resolver] });
    const a = t.infra.scope({ tenant: 'a' });
    expect(await given1(t, a, 'secret_ref:tenant_a:K')).toBe('of a');
    expect(contexts[0]).toMatchObject({ tenant: 'a', principal: null });
  });
});

/** What an instance is given for a reference. */
async function given1(
  t: TestInfra,
  scope: Pick<TestInfra['infra'], 'instances'>,
  reference: `secret_ref:${string}:${string}`,
  id?: string,
): Promise<unknown> {
  const made = await scope.instances.create({ id, name: 'given', jsonSpec: given({ X: reference }) });
  await t.settle();
  const { structuredContent } = await scope.instances.callTool(made.id, 'env');
  await scope.instances.delete(made.id);
  await t.settle();
  return structuredContent?.['X'];
}

function given(environment: Readonly<Record<string, string>>) {
  return { ...docker, environment } as { type: 'docker'; image: string; environment: Record<string, string> };
}
