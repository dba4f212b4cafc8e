import type { Issue, Page } from '@mcpinfra/core';

const camelCase = (key: string): string =>
  key.replace(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
const snakeCase = (key: string): string => key.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);

/**
 * Reads the snake_case of a body, and leaves it to core to say everything that is wrong with it. Only the outermost
 * fields are renamed: below them are documents and labels, whose keys are data.
 */
export function fromWire(body: unknown): unknown {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  return isObject ? renamed(body, camelCase) : body;
}

/** Writes the outermost fields of an answer in snake_case. */
export function toWire(answer: object): object {
  return renamed(answer, snakeCase);
}

/** Writes issues so that their pointers lead into the body as it came. */
export function issuesToWire(issues: readonly Issue[]): readonly Issue[] {
  return issues.map((issue) => ({ ...issue, path: issue.path.replace(/^\/\w+/u, snakeCase) }));
}

/** Writes a page of a list. */
export function pageToWire<T>({ items, nextCursor }: Page<T>, encode: (item: T) => unknown): object {
  return { items: items.map(encode), next_cursor: nextCursor };
}

function renamed(value: object, rename: (key: string) => string): object {
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [rename(key), field as unknown]));
}
