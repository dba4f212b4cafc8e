import type { ContainerSpec } from '@mcpinfra/core/plugin';
import type { ContainerInspectInfo } from 'dockerode';
import { secretsPath } from './container-document.js';
import { labels } from './labels.js';
import { parseTemplates, secretsWithin, secretTemplates } from './secret-values.js';

/** Moves the secrets of an environment out of it, to be files; their paths take their place. */
export function takeSecrets(
  spec: ContainerSpec,
  environment: Map<string, string>,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of Object.keys(secretTemplates(spec.environment))) {
    files.set(name, environment.get(name) ?? '');
    environment.delete(name);
    environment.set(`${name}_FILE`, `${secretsPath}/${name}`);
  }
  return files;
}

/** The secret values a container was given, told by the container itself and its files. */
export function knownSecrets(
  container: ContainerInspectInfo,
  files: ReadonlyMap<string, string>,
): readonly string[] {
  const variables = container.Config.Env.map((entry) => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)] as const;
  });
  const templates = parseTemplates(container.Config.Labels[labels.secrets]);
  return secretsWithin(templates, new Map([...variables, ...files]));
}
