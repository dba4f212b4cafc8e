import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { isReference } from '../../domain/env-schema/clear-secrets.js';
import { formatSecretReference, scanReferences } from '../../domain/secrets/secret-reference.js';
import { visibleInstance, type Scope } from '../context/access.js';
import { commandOptions, refuseUnknownOptions } from '../context/known-options.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
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

  /**
   * Sets a variable; the running copy is replaced. The value it has already changes nothing.
   *
   * @throws `INVALID_SPEC`, `NOT_FOUND`, `SECRET_STORE_REQUIRED`
   */
  async set(
    instanceId: string,
    name: string,
    value: string,
    options: SetEnvironmentOptions = {},
  ): Promise<void> {
    refuseUnknownOptions('environment.set()', options, [...commandOptions, 'secret']);
    const { secret } = options;
    if (secret === true) this.#refuseWithoutStore(name);
    await this.#commands.changeDocument(instanceId, options, (spec) => {
      const plain = (spec.plain_environment ?? []).filter((one) => one !== name);
      const jsonSpec = { ...spec, environment: { ...spec.environment, [name]: value } };
      if (secret === false) return { jsonSpec: { ...jsonSpec, plain_environment: [...plain, name] } };
      // What was a secret so far is one.
      const isSecret = secret ?? (isReference(spec.environment?.[name] ?? '') && !isReference(value));
      if (!isSecret) return { jsonSpec };
      this.#refuseWithoutStore(name);
      const marked = spec.plain_environment ? { ...jsonSpec, plain_environment: plain } : jsonSpec;
      return { jsonSpec: marked, secret: [name] };
    });
  }

  /** A variable, or `null` when the instance does not have it. */
  async get(
    instanceId: string,
    name: string,
    options: CommandOptions = {},
  ): Promise<EnvironmentEntry | null> {
    refuseUnknownOptions('environment.get()', options, commandOptions);
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

  /** Removes a variable, and with the copy that has it its secret, where the instance owned it. Absent resolves. */
  async delete(instanceId: string, name: string, options: CommandOptions = {}): Promise<void> {
    refuseUnknownOptions('environment.delete()', options, commandOptions);
    await this.#commands.changeDocument(instanceId, options, (spec) => {
      const { [name]: _removed, ...environment } = spec.environment ?? {};
      return { jsonSpec: { ...spec, environment } };
    });
  }

  /**
   * Writes a new value for a secret the instance owns and replaces the running copy. The value it has already changes
   * nothing.
   *
   * @throws `NOT_FOUND` when the variable is no secret of this instance
   */
  async rotate(instanceId: string, name: string, value: string, options: CommandOptions = {}): Promise<void> {
    refuseUnknownOptions('environment.rotate()', options, commandOptions);
    const entry = await this.get(instanceId, name, options);
    const own = `secret_ref:${secretScopeOf(instanceId)}:`;
    if (entry?.references.some((reference) => reference.startsWith(own)) !== true) {
      const message = `The instance has no secret of its own named ${JSON.stringify(name)}. Set it with { secret: true }, or rotate it in its backend.`;
      throw mcpError('NOT_FOUND', message);
    }
    await this.set(instanceId, name, value, { ...options, secret: true });
  }

  #refuseWithoutStore(name: string): void {
    if (this.#context.secretStore) return;
    throw mcpError('SECRET_STORE_REQUIRED', `There is no secret store to keep ${JSON.stringify(name)} in.`);
  }
}
