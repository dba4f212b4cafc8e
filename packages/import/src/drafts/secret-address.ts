import { hasUserInfo, replaceUrlSecrets } from '@mcpinfra/core/plugin';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, Template } from './server-draft.js';

/**
 * Says of a secret in the address of a server, where core would not keep it, that it is left behind. What core moves to the
 * secret store is noted.
 */
export function addressHoldsSecret(endpoint: Template, node: DocumentNode): boolean {
  const literal = endpoint.map((part) => (typeof part === 'string' ? part : '')).join('');
  const isKept = (secret: ImportInput): boolean =>
    textsMoved(
      endpoint.map((part) => (part === secret ? [probe] : typeof part === 'string' ? [part] : [])).flat(),
    ).includes(probe);
  const found =
    hasUserInfo(literal) || endpoint.some((part) => typeof part !== 'string' && part.secret && !isKept(part));
  if (found)
    node.leave(
      'A secret here in the address would be shown by logs. Give it as a header, or in a parameter named as a key or token.',
    );
  else if (textsMoved([literal]).length > 0) node.noteSecretHere();
  return found;
}

/** Whether the address of a server holds a secret, which no definition may. */
export function isSecretAddress(text: string): boolean {
  return textsMoved([text]).length > 0;
}

const probe = 'canary-of-an-input';

function textsMoved(address: readonly string[]): readonly string[] {
  const moved: string[] = [];
  replaceUrlSecrets(address.join(''), ({ value }) => {
    moved.push(value);
    return '';
  });
  return moved;
}
