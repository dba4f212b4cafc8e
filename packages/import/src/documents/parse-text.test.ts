import { MCPInfraError } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { parseText } from './parse-text.js';

function refusal(text: string): string {
  try {
    parseText(text);
  } catch (error) {
    if (MCPInfraError.isInstance(error) && error.code === 'INVALID_SPEC') return error.message;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('parseText', () => {
  it('takes JSON, JSON with comments and YAML', () => {
    expect(parseText('\uFEFF{"a": [1, "// no comment", "/* none */"]}')).toEqual({
      a: [1, '// no comment', '/* none */'],
    });
    expect(parseText('// first\n{ "a": 1, /* second */ "b": [2,], }')).toEqual({ a: 1, b: [2] });
    expect(parseText('a: 1\nb:\n  - yes\n  - 012\n')).toEqual({ a: 1, b: ['yes', 12] });
    expect(parseText('a: 1\n---\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }]);
    expect(parseText('x: &x [1]\ny: *x\n')).toEqual({ x: [1], y: [1] });
  });

  it('names the line of what is wrong and quotes nothing', () => {
    expect(refusal('{"a": "canary\n}')).not.toContain('canary');
    expect(refusal('a: 1\nb: [canary\n')).toMatch(/Line \d+: /u);
    expect(refusal('a: 1\na: canary\n')).toContain('Line 2: A key stands here twice.');
    expect(refusal('a: !canary x\n')).toContain('Line 1: Expected plain data, but there is a tag.');
    expect(refusal('a: *canary\n')).not.toContain('canary');
  });

  it('refuses what is too large, too deep or expands too far', () => {
    expect(refusal(`a: ${'x'.repeat(1_100_000)}`)).toContain('at most 1 MiB');
    expect(refusal(`a: ${'x'.repeat(300_000)}`)).toContain('256 KiB of YAML');
    expect(refusal('['.repeat(500_000))).toContain('deep');
    expect(refusal('- '.repeat(200_000))).toContain('deep');
    expect(refusal('{"a":'.repeat(100_000))).toContain('deep');
    const names = 'abcdefghij'.split('');
    const bomb = names.map(
      (name, i) =>
        `${name}: &${name} [${Array(10)
          .fill(i === 0 ? 'x' : `*${names[i - 1] ?? ''}`)
          .join(', ')}]`,
    );
    expect(refusal(bomb.join('\n'))).toContain('aliases');
  });

  it('wants the document, not where it is', () => {
    expect(refusal('https://example.com/server.json')).toContain('the document itself');
    expect(refusal('./mcp.json')).toContain('the document itself');
    expect(refusal(' \n')).toContain('empty');
  });
});
