import { pointer, type Issue } from '../errors/issue.js';
import { kindOf } from './quote-value.js';

const name = /^[A-Za-z_.-][A-Za-z0-9_.-]{0,254}$/u;
const set = new Set(['MCP_INSTANCE_ID', 'MCP_SERVICE_NAME', 'MCP_CONTAINER_PORT']);

/** Tells whether a text can name an environment variable everywhere: letters, digits, `_`, `.` and `-`. */
export function isEnvironmentName(text: string): boolean {
  return name.test(text);
}

/** Tells whether a variable is set by the library, so that a document may not. */
export function isReservedEnvironmentName(text: string): boolean {
  return set.has(text) || text.startsWith('MCPINFRA_');
}

/** Finds what is wrong with the environment of a plain document; values are never quoted. */
export function environmentIssues(environment: unknown): Issue[] {
  if (environment === undefined || environment === null) return [];
  if (typeof environment !== 'object' || Array.isArray(environment)) {
    const message = `Expected an object of names and texts, such as { "LOG_LEVEL": "debug" }, but got ${kindOf(environment)}.`;
    return [{ path: '/environment', code: 'wrong_type', message }];
  }
  return Object.entries(environment).flatMap(([key, value]: [string, unknown]) => variableIssues(key, value));
}

function variableIssues(key: string, value: unknown): Issue[] {
  const path = pointer('environment', key);
  const issues: Issue[] = [];
  if (!isEnvironmentName(key)) {
    const message =
      'Expected a variable name of letters, digits, "_", "." and "-" that does not begin with a digit.';
    issues.push({ path, code: 'wrong_format', message });
  }
  if (isReservedEnvironmentName(key)) {
    issues.push({
      path,
      code: 'reserved',
      message: `${key} is set by the library. Remove it, or choose another name.`,
    });
  }
  if (typeof value !== 'string') {
    const message = `Expected text, but got ${kindOf(value)}. Write the value in quotes, for example "30", or leave it out.`;
    issues.push({ path, code: 'wrong_type', message });
  }
  return issues;
}
