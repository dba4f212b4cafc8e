import * as z from 'zod';
import { type JsonSpec, specFields } from '@mcpinfra/core/plugin';
import type { FakedProvider, FakeProviderOptions } from '@mcpinfra/core/testing';

type Fake<TSpec extends JsonSpec> = FakeProviderOptions<TSpec> & { readonly of: FakedProvider<TSpec> };

const { healthCheck, httpUrl, labels, lifecycle, session, specObject } = specFields;

/** Documents of servers that end with the process that started them. */
export interface LocalSpec extends JsonSpec {
  readonly type: 'local';
  readonly command: readonly string[];
}

/** Documents of servers that run elsewhere. */
export interface RemoteSpec extends JsonSpec {
  readonly type: 'remote';
  readonly endpoint: string;
  readonly authentication?: Readonly<Record<string, string>> | undefined;
}

const shared = {
  environment: specFields.environment.optional(),
  health_check: healthCheck.optional(),
  labels: labels.optional(),
};

/** A fake whose copies end with their process. */
export const local: Fake<LocalSpec> = {
  of: {
    type: 'local',
    copiesEndWithProcess: true,
    specSchema: specObject({
      ...shared,
      type: z.literal('local'),
      command: specFields.commandLine,
      lifecycle: lifecycle.optional(),
      session: session.optional(),
    }),
  },
};

/** A fake of servers that run elsewhere. */
export const remote: Fake<RemoteSpec> = {
  of: {
    type: 'remote',
    specSchema: specObject({
      ...shared,
      type: z.literal('remote'),
      endpoint: httpUrl,
      authentication: z.record(z.string(), z.string()).optional(),
    }),
  },
  placement: '*',
};
