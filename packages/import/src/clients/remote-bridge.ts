import type { GivenArgument } from '../containers/command-line.js';
import { DocumentParts } from '../drafts/document-parts.js';
import { cutTemplate, plainText } from '../drafts/template.js';
import type { Template } from '../drafts/server-draft.js';

/**
 * The remote server behind a bridge that speaks stdio to clients: `npx mcp-remote <url> --header "Name: value"`. Here no
 * bridge is needed.
 */
export function bridgedEndpoint(line: readonly GivenArgument[]): DocumentParts | undefined {
  const bridge = line.findIndex(({ template }) =>
    /^mcp-remote(?:@[\w.^~-]+)?$/u.test(plainText(template) ?? ''),
  );
  const address = line[bridge + 1];
  const begin = address?.template[0];
  if (bridge < 0 || !address || typeof begin !== 'string' || !/^https?:\/\//iu.test(begin)) return undefined;
  const parts = new DocumentParts('url');
  parts.endpoint = address.template;
  const rest = line.slice(bridge + 2);
  for (let next = rest.shift(); next; next = rest.shift()) {
    const option = plainText(next.template);
    const header = option === '--header' ? rest.shift() : undefined;
    const cut = header && cutTemplate(header.template, ':');
    if (cut) parts.headers.set(cut[0].trim(), withoutSpace(cut[1]));
    else if (option === '--transport' && plainText(rest[0]?.template ?? [])?.startsWith('sse') === true) {
      parts.fixed['transport'] = 'sse';
      rest.shift();
    } else next.node.leave('This option of the bridge has no counterpart: the server is reached directly.');
  }
  return parts;
}

function withoutSpace([first, ...rest]: Template): Template {
  return typeof first === 'string'
    ? [first.trimStart(), ...rest]
    : first === undefined
      ? []
      : [first, ...rest];
}
