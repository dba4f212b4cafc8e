import { describe, expect, it } from 'vitest';
import { parseTemplates, secretsWithin, secretTemplates } from './secret-values.js';

describe('the secrets among the variables of a container', () => {
  const templates = secretTemplates({
    PLAIN: 'x',
    KEY: 'secret_ref:a:KEY',
    URL: 'https://u:${secret_ref:a:P}@h/?q=${secret_ref:a:Q}(1)',
  });

  it('are told from what surrounds them, by a label that holds no value', () => {
    expect(Object.keys(templates)).toEqual(['KEY', 'URL']);
    const read = parseTemplates(JSON.stringify(templates));
    const values = new Map([
      ['PLAIN', 'x'],
      ['KEY', 'one\ntwo'],
      ['URL', 'https://u:pass@h/?q=query(1)'],
    ]);
    expect(secretsWithin(read, values)).toEqual(['one\ntwo', 'one\ntwo', values.get('URL'), 'pass', 'query']);
    expect(secretsWithin(read, new Map([['URL', 'something else']]))).toEqual(['something else']);
  });

  it('are none where the label was lost or changed by somebody', () => {
    for (const label of [undefined, '', '[]', 'null', '{"A":1}', '{"A":[]}'])
      expect(parseTemplates(label)).toEqual({});
  });
});
