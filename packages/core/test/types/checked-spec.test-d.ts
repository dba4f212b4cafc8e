import type { CheckedPatch, CheckedSpec, MCPInfra, Mistake } from '@mcpinfra/core';
import type { ContainerSpec, JsonSpec } from '@mcpinfra/core/plugin';
import { describe, expectTypeOf, it } from 'vitest';

interface RemoteSpec extends JsonSpec {
  readonly type: 'url';
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
type Specs = ContainerSpec | RemoteSpec;
type Docker = { readonly type: 'docker'; readonly image: 'x' };
type Url = { readonly type: 'url'; readonly endpoint: 'https://example.com' };

declare const infra: MCPInfra<Specs>;

describe('what the compiler says of a document', () => {
  it('tells how a field is written that is known by another case', () => {
    type Checked = CheckedSpec<Docker & { readonly healthCheck: '/health' }, Specs>;
    expectTypeOf<Checked['healthCheck']>().toEqualTypeOf<
      Mistake<'"healthCheck" is written health_check in a document'>
    >();
    type Deep = CheckedSpec<Docker & { readonly plainEnvironment: [] }, Specs>;
    expectTypeOf<Deep['plainEnvironment']>().toEqualTypeOf<
      Mistake<'"plainEnvironment" is written plain_environment in a document'>
    >();
  });

  it('tells that there is no such field', () => {
    type Checked = CheckedSpec<Url & { readonly imagge: 'x' }, Specs>;
    expectTypeOf<Checked['imagge']>().toEqualTypeOf<
      Mistake<'"imagge" is no field of a document of this type'>
    >();
  });

  it('tells what a reference looks like, in variables and headers', () => {
    type Checked = CheckedSpec<
      Url & {
        readonly headers: { readonly Authorization: 'secret_ref:TOKEN'; readonly Accept: 'text/plain' };
        readonly environment: { readonly A: 'secret_ref:a:' };
      },
      Specs
    >;
    expectTypeOf<Checked['headers']['Authorization']>().toEqualTypeOf<
      Mistake<'"secret_ref:TOKEN" is no reference: write secret_ref:<scope>:<KEY>'>
    >();
    expectTypeOf<Checked['headers']['Accept']>().toEqualTypeOf<'text/plain'>();
    expectTypeOf<Checked['environment']['A']>().toEqualTypeOf<
      Mistake<'"secret_ref:a:" is no reference: write secret_ref:<scope>:<KEY>'>
    >();
  });

  it('says the same of a patch, at every depth', () => {
    type Checked = CheckedPatch<{ readonly healthCheck: { readonly interval: 5 } }, Specs>;
    expectTypeOf<Checked['healthCheck']>().toEqualTypeOf<
      Mistake<'"healthCheck" is written health_check in a document'>
    >();
    type Deep = CheckedPatch<{ readonly health_check: { readonly startPeriod: 5 } }, Specs>;
    expectTypeOf<Deep['health_check']['startPeriod']>().toEqualTypeOf<
      Mistake<'"startPeriod" is written start_period in a document'>
    >();
  });

  it('refuses what it has a sentence for', () => {
    const docker = { type: 'docker', image: 'x' } as const;
    const url = { type: 'url', endpoint: 'https://example.com' } as const;
    // @ts-expect-error it is written health_check
    void infra.instances.create({ name: 'a', jsonSpec: { ...docker, healthCheck: '/health' } });
    // @ts-expect-error the scope is missing
    void infra.instances.create({ name: 'a', jsonSpec: { ...url, headers: { A: 'secret_ref:TOKEN' } } });
    // @ts-expect-error it is written health_check
    void infra.instances.update('id', { jsonSpec: { healthCheck: '/health' } });
    void infra.instances.create({ name: 'a', jsonSpec: { ...url, headers: { A: 'secret_ref:a:TOKEN' } } });
  });

  it('speaks of the field and not of a document that cannot be', () => {
    type Given = Docker & {
      readonly healthCheck: '/health';
      readonly environment: { readonly A: 'secret_ref:b' };
    };
    expectTypeOf<Given & CheckedSpec<Given, Specs>>().not.toBeNever();
    expectTypeOf<(Given & CheckedSpec<Given, Specs>)['type']>().toEqualTypeOf<'docker'>();
  });
});
