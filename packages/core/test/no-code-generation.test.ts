import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('fixtures/no-code-generation.mjs', import.meta.url));

it.each([['--disallow-code-generation-from-strings'], ['--stack-trace-limit=10']])(
  'checks environments the same way under %s',
  async (flag) => {
    const { stdout } = await promisify(execFile)(process.execPath, [flag, program]);
    const refused = ['INVALID_SPEC', '/jsonSpec/environment/LEVEL not_a_choice'];
    expect(JSON.parse(stdout)).toEqual(['created', refused, refused]);
  },
);
