import { expect, it } from 'vitest';
import { scrubDocument } from './scrub-document.js';
import { createScrubber } from './scrub.js';

it('replaces values in the texts and names of a document, and leaves what is no text as it is', () => {
  const scrub = createScrubber(['canary', '1234', 'true']);
  const document = { at: 1234, isOn: true, none: null, texts: ['a canary', { 'of-canary': '1234' }] };
  expect(scrubDocument(document, scrub)).toEqual({
    at: 1234,
    isOn: true,
    none: null,
    texts: ['a [secret]', { 'of-[secret]': '[secret]' }],
  });
});
