import { isEnvironmentName, isPlaceholder, isSecretName, looksLikeSecret } from '@mcpinfra/core/plugin';
import type { DocumentNode } from '../documents/document-node.js';
import type { ImportInput, Template } from '../drafts/server-draft.js';
import { parseTemplate } from '../drafts/template.js';

const places = /\$\{([^{}]{1,300})\}/gu;

/** The inputs that a client's configuration declares, and those it only mentions. */
export class ClientInputs {
  readonly #declared: ReadonlyMap<string, DocumentNode>;
  readonly #made = new Map<string, ImportInput>();

  constructor(declared: DocumentNode) {
    this.#declared = new Map(
      declared.items().flatMap((node) => {
        const id = node.at('id').text(200);
        if (id === undefined) node.fault('required', 'Expected an "id" in here.');
        return id === undefined ? [] : [[id, node]];
      }),
    );
  }

  /** Reads a text: `${input:id}`, `${env:NAME}`, `${NAME}`, `${NAME:-default}`, `${workspaceFolder}` are inputs. */
  template(node: DocumentNode, name: string): Template {
    const text = node.scalar() ?? '';
    if (name !== '' && isPlaceholder(text)) return [this.variable(name, node)];
    if (name !== '' && text === '' && isSecretName(name))
      return [{ ...this.variable(name, node), required: false }];
    return parseTemplate(text, places, (what) => this.#mentioned(what, node, name));
  }

  /** The variable of the client's own environment by this name. A secret, too, where it becomes one. */
  variable(name: string, node: DocumentNode, becomes = name, defaultText?: string): ImportInput {
    const names = [name, becomes];
    const secret =
      names.some(isSecretName) ||
      (defaultText !== undefined && names.some((one) => looksLikeSecret(one, defaultText)));
    return this.#once(`env:${name}`, () => ({
      name,
      kind: 'variable',
      path: node.path,
      required: true,
      secret,
      ...(defaultText === undefined || secret ? {} : { default: defaultText }),
    }));
  }

  #mentioned(what: string, node: DocumentNode, name: string): ImportInput | string | undefined {
    if (what.startsWith('secret_ref:')) return undefined;
    if (what === '/' || what === 'pathSeparator') return '/';
    const [kind, id] = /^(input|env):(.*)$/u.exec(what)?.slice(1) ?? ['', what];
    if (kind === 'input') return this.#input(id ?? '', node, name);
    const [variable = '', ...fallback] = (id ?? '').split(':-');
    if (isEnvironmentName(variable)) {
      return this.variable(variable, node, name, fallback.length > 0 ? fallback.join(':-') : undefined);
    }
    return this.#once(what, () => ({
      name: what,
      kind: 'input',
      path: node.path,
      required: true,
      secret: false,
    }));
  }

  #input(id: string, mentioned: DocumentNode, name: string): ImportInput {
    return this.#once(`input:${id}`, () => {
      const node = this.#declared.get(id);
      if (!node) {
        mentioned.leave(`The input ${JSON.stringify(id.slice(0, 60))} is used here and declared nowhere.`);
        const secret = isSecretName(id) || isSecretName(name);
        return { name: id, kind: 'input', path: mentioned.path, required: true, secret };
      }
      node.leaveOthers(['id', 'type', 'description', 'default', 'password', 'options', 'placeholder']);
      const fallback = node.at('default').scalar();
      const secret = node.at('password').flag() || isSecretName(name) || looksLikeSecret(id, fallback ?? '');
      if (secret && fallback !== undefined) node.at('default').leave('A secret has no default in clear.');
      const choices = node.at('options').items();
      const texts = choices.flatMap((option) => option.at('value').scalar() ?? option.scalar() ?? []);
      return {
        name: id,
        kind: 'input',
        path: node.path,
        required: true,
        secret,
        description: node.at('description').text(),
        placeholder: node.at('placeholder').text(),
        ...(fallback === undefined || secret ? {} : { default: fallback }),
        ...(texts.length === 0 ? {} : { choices: texts }),
      };
    });
  }

  #once(key: string, make: () => ImportInput): ImportInput {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }
}
