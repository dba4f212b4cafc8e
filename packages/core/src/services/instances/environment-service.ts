import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import {
  formatSecretReference,
  scanReferences,
  type SecretReference,
} from '../../domain/secrets/secret-reference.js';
import { Secret } from '../../domain/secrets/secret.js';
import { visibleInstance, type Scope } from '../context/access.js';
import { commandOptions, refuseUnknownOptions } from '../context/known-options.js';
import { secretScopeOf } from './instance-admission.js';
import type { InstanceCommands } from './instance-commands.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** A variable as it may be shown: of a secret, only where it is kept. */
export interface EnvironmentEntry {
  readonly name: string;
  /** The value, or `null` for a secret. */
  readonly value: string | null;
  readonly secret: boolean;
  /** The references in the value. */
  readonly references: readonly string[];
}

/** How a variable is set. */
export interface SetEnvironmentOptions extends CommandOptions {
  /** Keep the value in the secret store. @defaultValue what the server's `envSchema` says, or whether it looks like a secret */
  readonly secret?: boolean | undefined;
}

interface Parts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly commands: InstanceCommands;
}

/** The variables and secrets of an instance. Secret values go in and never come out. */
export class EnvironmentService {
  readonly #context: ServiceContext;
  readonly #scope: Scope;
  readonly #commands: InstanceCommands;

  private constructor({ context, scope, commands }: Parts) {
    this.#context = context;
    this.#scope = scope;
    this.#commands = commands;
  }

  /** @internal */
  static of(parts: Parts): EnvironmentService {
    return new EnvironmentService(parts);
  }

  /** Sets a variable; the running copy is replaced. @throws `INVALID_SPEC`, `NOT_FOUND`, `SECRET_STORE_REQUIRED` */
  async set(
    instanceId: string,
    name: string,
    value: string,
    options: SetEnvironmentOptions = {},
  ): Promise<void> {
    refuseUnknownOptions('environment.set()', options, [...commandOptions, 'secret']);
    if (options.secret === true) {
      await this.#putSecret(instanceId, name, { value, options });
      return;
    }
    await this.#commands.changeDocument(instanceId, options, (spec) => ({
      ...spec,
      environment: { ...spec.environment, [name]: value },
      ...(options.secret === false
        ? { plain_environment: [...new Set([...(spec.plain_environment ?? []), name])] }
        : {}),
    }));
  }

  /** A variable, or `null` when the instance does not have it. */
  async get(
    instanceId: string,
    name: string,
    options: CommandOptions = {},
  ): Promise<EnvironmentEntry | null> {
    return (await this.list(instanceId, options)).find((entry) => entry.name === name) ?? null;
  }

  /** The variables of the instance's own document, by name. */
  async list(instanceId: string, options: CommandOptions = {}): Promise<readonly EnvironmentEntry[]> {
    refuseUnknownOptions('environment.list()', options, commandOptions);
    const record = await visibleInstance(this.#context, this.#scope, { id: instanceId, options });
    return Object.entries(record.jsonSpec.environment ?? {})
      .map(([name, text]): EnvironmentEntry => {
        const references = scanReferences(text).references.map(formatSecretReference);
        const secret = references.length > 0;
        return { name, value: secret ? null : text, secret, references };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Removes a variable, and its secret where the instance owned it. Absent resolves. */
  async delete(instanceId: string, name: string, options: CommandOptions = {}): Promise<void> {
    refuseUnknownOptions('environment.delete()', options, commandOptions);
    await this.#commands.changeDocument(instanceId, options, (spec) => {
      const { [name]: _removed, ...environment } = spec.environment ?? {};
      return { ...spec, environment };
    });
    await this.#context.secretStore?.delete(this.#reference(instanceId, name), options);
  }

  /**
   * Writes a new value for a secret the instance owns and replaces the running copy.
   *
   * @throws `NOT_FOUND` when the variable is no secret of this instance
   */
  async rotate(instanceId: string, name: string, value: string, options: CommandOptions = {}): Promise<void> {
    refuseUnknownOptions('environment.rotate()', options, commandOptions);
    const entry = await this.get(instanceId, name, options);
    const own = formatSecretReference(this.#reference(instanceId, name));
    if (entry?.references.includes(own) !== true) {
      const message = `The instance has no secret of its own named ${JSON.stringify(name)}. Set it with { secret: true }, or rotate it in its backend.`;
      throw mcpError('NOT_FOUND', message);
    }
    await this.#putSecret(instanceId, name, { value, options });
  }

  async #putSecret(
    instanceId: string,
    name: string,
    request: { readonly value: string; readonly options: CommandOptions },
  ): Promise<void> {
    const { value, options } = request;
    const store = this.#context.secretStore;
    if (!store)
      throw mcpError('SECRET_STORE_REQUIRED', `There is no secret store to keep ${JSON.stringify(name)} in.`);
    const reference = this.#reference(instanceId, name);
    await visibleInstance(this.#context, this.#scope, { id: instanceId, options });
    await store.put(reference, new Secret(value), options);
    await this.#commands.useSecret(instanceId, { name, reference }, options);
  }

  #reference(instanceId: string, name: string): SecretReference {
    return { scope: secretScopeOf(instanceId), key: name };
  }
}
