import type { CheckedEnvironment, Mistake, SecretReferenceText } from '@mcpinfra/core/plugin';
import { assertType, describe, expectTypeOf, it } from 'vitest';

function accept<const T extends Readonly<Record<string, string>>>(environment: T & CheckedEnvironment<T>): T {
  return environment;
}

describe('CheckedEnvironment', () => {
  it('leaves references, texts and what is known only at run time alone', () => {
    const text = ['debug'].join();
    const reference = 'secret_ref:a:B' as SecretReferenceText;
    assertType(
      accept({
        A: 'secret_ref:instance_123:API_KEY',
        B: 'debug',
        C: text,
        D: reference,
        E: 'secret_ref:a:B:c',
      }),
    );
    expectTypeOf<CheckedEnvironment<{ A: 'secret_ref:a:B'; B: string }>>().toEqualTypeOf<{
      readonly A: 'secret_ref:a:B';
      readonly B: string;
    }>();
  });

  it('refuses what begins like a reference and is none', () => {
    // @ts-expect-error a reference has a scope and a key
    accept({ A: 'secret_ref:API_KEY' });
    // @ts-expect-error the scope is empty
    accept({ A: 'secret_ref::API_KEY' });
    // @ts-expect-error the key is empty
    accept({ A: 'secret_ref:instance_123:' });
    // @ts-expect-error neither is there
    accept({ A: 'secret_ref:' });
  });

  it('says in the type what to write', () => {
    expectTypeOf<CheckedEnvironment<{ A: 'secret_ref:x' }>['A']>().toEqualTypeOf<
      Mistake<'"secret_ref:x" is no reference: write secret_ref:<scope>:<KEY>'>
    >();
  });
});
