import { isPlaceholder, isSecretArgument } from '@mcpinfra/core/plugin';
import { applyContainerOption, standsAlone, type ContainerOptionRules } from './container-options.js';
import { DocumentParts } from '../drafts/document-parts.js';
import type { DocumentNode } from '../documents/document-node.js';
import type { ArgumentGroup, Template } from '../drafts/server-draft.js';
import { cutTemplate, plainText } from '../drafts/template.js';

/** An argument as a document gives it. */
export interface GivenArgument {
  readonly template: Template;
  readonly node: DocumentNode;
}

/** The document of a command line that is `docker run …` or `podman run …`; `undefined` where no image is in it. */
export function containerOf(
  args: readonly GivenArgument[],
  rules: ContainerOptionRules,
): { readonly parts: DocumentParts; readonly image: string; readonly imageNode: DocumentNode } | undefined {
  const parts = new DocumentParts('docker');
  const rest = args.slice(1);
  for (let next = rest.shift(); next; next = rest.shift()) {
    const { template, node } = next;
    const text = plainText(template);
    const begin = typeof template[0] === 'string' ? template[0] : '';
    if (!begin.startsWith('-')) {
      if (text === undefined) return undefined;
      parts.command.push(...rest.map((argument): ArgumentGroup => [argument.template]));
      return { parts, image: text, imageNode: node };
    }
    // -eNAME=value is -e NAME=value, --env=NAME=value is --env NAME=value
    const glued = /^-[evpuwm](?=.)/u.exec(begin)?.[0];
    const assigned = begin.startsWith('--') ? cutTemplate(template, '=') : undefined;
    if (assigned) applyContainerOption(parts, { name: assigned[0], value: assigned[1], node }, rules);
    else if (glued !== undefined) {
      const value = [begin.slice(2), ...template.slice(1)];
      applyContainerOption(parts, { name: glued, value, node }, rules);
    } else if (standsAlone(begin)) applyContainerOption(parts, { name: begin, value: [], node }, rules);
    else {
      const value = rest.shift();
      if (value) applyContainerOption(parts, { name: begin, value: value.template, node: value.node }, rules);
    }
  }
  return undefined;
}

/**
 * Looks for secrets among arguments, where every process list shows them. Says of each that it is left behind, and
 * gives `false` where the command cannot do without.
 */
export function withoutSecrets(args: readonly GivenArgument[]): boolean {
  let whole = true;
  let option = '';
  for (const { template, node } of args) {
    const text = plainText(template);
    const [name, value] = cutTemplate(template, '=') ?? [option, template];
    const plain = plainText(value);
    const input = template.some((part) => typeof part !== 'string' && part.secret);
    const literal = plain !== undefined && !isPlaceholder(plain) && isSecretArgument(name, plain);
    if (input || literal) {
      whole = false;
      node.leave('A secret among the arguments would be shown by every process list. Give it as a variable.');
    }
    option = text?.startsWith('-') === true ? text : '';
  }
  return whole;
}
