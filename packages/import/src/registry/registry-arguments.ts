import { isPlaceholder, isSecretArgument } from '@mcpinfra/core/plugin';
import type { GivenArgument } from '../containers/command-line.js';
import type { DocumentNode } from '../documents/document-node.js';
import { readValue } from './registry-input.js';
import type { ImportInput } from '../drafts/server-draft.js';
import { plainText } from '../drafts/template.js';

/** An argument of a registry entry. */
export interface RegistryArgument {
  /** The option of a named argument. */
  readonly name?: string | undefined;
  /** The argument, or the value of the option; left out for an option that stands alone. */
  readonly value?: GivenArgument['template'] | undefined;
  readonly node: DocumentNode;
}

/** Reads `runtimeArguments` or `packageArguments`: positional and named, each one argument or two, never a line. */
export function readArguments(list: DocumentNode): readonly RegistryArgument[] {
  return list.items().flatMap((node, index): RegistryArgument[] => {
    const name = node.at('name').text(200);
    const named = (node.at('type').text() ?? (name === undefined ? 'positional' : 'named')) === 'named';
    if (named && name === undefined) {
      node.fault('required', 'Expected the "name" of a named argument in here.');
      return [];
    }
    const hint = node.at('valueHint', 'value_hint').text(200);
    const as = named ? (name ?? '') : (hint ?? `argument ${String(index + 1)}`);
    const { template } = readValue(node, { name: as, kind: 'argument' });
    if (!named) return [{ value: template, node }];
    const isSwitch = node.at('format').value === 'boolean' && plainText(template) === 'true';
    return [{ name, value: isSwitch ? undefined : template, node }];
  });
}

/** The arguments as they stand in argv, each group being what stands or falls together. */
export function argumentGroup({ name, value }: RegistryArgument): readonly GivenArgument['template'][] {
  return [...(name === undefined ? [] : [[name]]), ...(value ? [value] : [])];
}

/** Gives the arguments without those that are optional secrets; `undefined` where a secret cannot be left out. */
export function argumentsWithoutSecrets(
  list: readonly RegistryArgument[],
  isSafe: (argument: RegistryArgument) => boolean = () => false,
): readonly RegistryArgument[] | undefined {
  const kept: RegistryArgument[] = [];
  for (const argument of list) {
    const inputs = (argument.value ?? []).filter((part): part is ImportInput => typeof part !== 'string');
    const literal = plainText(argument.value ?? []);
    const secret =
      inputs.some((input) => input.secret) ||
      (literal !== undefined && !isPlaceholder(literal) && isSecretArgument(argument.name ?? '', literal));
    if (!secret || isSafe(argument)) kept.push(argument);
    else {
      argument.node.leave(
        'A secret among the arguments would be shown by every process list. Give it as a variable.',
      );
      if (literal !== undefined || inputs.some((input) => input.required)) return undefined;
    }
  }
  return kept;
}
