import { isEnvironmentName } from '../json-spec/environment-issues.js';
import type { Place } from './place.js';
import { isPlaceholder, isSecretName } from './secret-like.js';
import type { ImportInput, Template } from './server-draft.js';
import { parseTemplate } from './template.js';

const places = /\$\{([^{}]{1,300})\}/gu;

/** The inputs that a client's configuration declares, and those it only mentions. */
export class ClientInputs {
  readonly #declared: ReadonlyMap<string, Place>;
  readonly #made = new Map<string, ImportInput>();

  constructor(declared: Place) {
    this.#declared = new Map(
      declared.items().flatMap((place) => {
        const id = place.at('id').text(200);
        if (id === undefined) place.fault('required', 'Expected an "id" in here.');
        return id === undefined ? [] : [[id, place]];
      }),
    );
  }

  /** Reads a text: `${input:id}`, `${env:NAME}`, `${NAME}`, `${NAME:-default}`, `${workspaceFolder}` are inputs. */
  template(place: Place, name: string): Template {
    const text = place.scalar() ?? '';
    if (name !== '' && isPlaceholder(text)) return [this.variable(name, place)];
    if (name !== '' && text === '' && isSecretName(name))
      return [{ ...this.variable(name, place), required: false }];
    return parseTemplate(text, places, (what) => this.#mentioned(what, place, name));
  }

  /** The variable of the client's own environment by this name. A secret, too, where it becomes one. */
  variable(name: string, place: Place, becomes = name, defaultText?: string): ImportInput {
    const secret = isSecretName(name) || isSecretName(becomes);
    return this.#once(`env:${name}`, () => ({
      name,
      kind: 'variable',
      path: place.path,
      required: true,
      secret,
      ...(defaultText === undefined || secret ? {} : { default: defaultText }),
    }));
  }

  #mentioned(what: string, place: Place, name: string): ImportInput | string | undefined {
    if (what.startsWith('secret_ref:')) return undefined;
    if (what === '/' || what === 'pathSeparator') return '/';
    const [kind, id] = /^(input|env):(.*)$/u.exec(what)?.slice(1) ?? ['', what];
    if (kind === 'input') return this.#input(id ?? '', place, name);
    const [variable = '', ...fallback] = (id ?? '').split(':-');
    if (isEnvironmentName(variable)) {
      return this.variable(variable, place, name, fallback.length > 0 ? fallback.join(':-') : undefined);
    }
    return this.#once(what, () => ({
      name: what,
      kind: 'input',
      path: place.path,
      required: true,
      secret: false,
    }));
  }

  #input(id: string, mentioned: Place, name: string): ImportInput {
    return this.#once(`input:${id}`, () => {
      const place = this.#declared.get(id);
      if (!place) {
        mentioned.leave(`The input ${JSON.stringify(id.slice(0, 60))} is used here and declared nowhere.`);
        const secret = isSecretName(id) || isSecretName(name);
        return { name: id, kind: 'input', path: mentioned.path, required: true, secret };
      }
      place.leaveOthers(['id', 'type', 'description', 'default', 'password', 'options', 'placeholder']);
      const secret = place.at('password').flag() || isSecretName(name);
      const fallback = place.at('default').scalar();
      if (secret && fallback !== undefined) place.at('default').leave('A secret has no default in clear.');
      const choices = place.at('options').items();
      const texts = choices.flatMap((option) => option.at('value').scalar() ?? option.scalar() ?? []);
      return {
        name: id,
        kind: 'input',
        path: place.path,
        required: true,
        secret,
        description: place.at('description').text(),
        placeholder: place.at('placeholder').text(),
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
