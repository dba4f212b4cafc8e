import { isObject } from '@mcpinfra/core/plugin';

/** The merge patch (RFC 7396) that makes one document of another. */
export function replacingPatch(
  from: Readonly<Record<string, unknown>>,
  to: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch = new Map<string, unknown>();
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch.set(key, null);
  for (const [key, value] of Object.entries(to)) {
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    patch.set(key, isObject(before) && isObject(value) ? replacingPatch(before, value) : value);
  }
  return Object.fromEntries(patch);
}
