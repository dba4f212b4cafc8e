import { invalidSpec, type Issue, type IssueCode } from '@mcpinfra/core/plugin';
import { isScalar, LineCounter, parseAllDocuments, visit, type Document } from 'yaml';
import { endOfString, withoutComments } from './without-comments.js';

/** How large a text may be. */
// YAML takes seconds for a megabyte of what is none, and blocks the process for as long.
const textLimits = Object.freeze({
  bytes: 1_048_576,
  yamlBytes: 262_144,
  documents: 100,
  aliases: 100,
  depth: 64,
});

/**
 * Parses text as JSON, as JSON with comments, or as YAML 1.2 without tags of its own; several YAML documents are a list.
 *
 * Messages name lines and never quote them, since they may hold secrets.
 *
 * @throws `INVALID_SPEC`
 */
export function parseText(text: string): unknown {
  if (Buffer.byteLength(text) > textLimits.bytes)
    throw refused('too_large', `Expected at most ${String(textLimits.bytes / 1_048_576)} MiB of text.`);
  const body = text.replace(/^\uFEFF/u, '');
  if (body.trim() === '') throw refused('required', 'Expected a document, but the text is empty.');
  if (/^\s*(?:https?:\/\/|\.{0,2}\/|[A-Za-z]:\\)\S*\s*$/u.test(body))
    throw refused('wrong_type', 'Expected the document itself, not the place where it is: read it first.');
  const uncommented = withoutComments(body);
  const json = /^[[{]/u.test(uncommented.trimStart());
  const source = json ? uncommented : body;
  if (isDeep(source))
    throw refused('too_large', `Expected a document at most ${String(textLimits.depth)} deep.`);
  if (json) {
    try {
      return JSON.parse(source) as unknown;
    } catch {
      // YAML takes what JSON does not, such as a comma too many; and it knows the line of what is wrong.
    }
  }
  return parseYaml(source);
}

function parseYaml(source: string): unknown {
  if (Buffer.byteLength(source) > textLimits.yamlBytes)
    throw refused(
      'too_large',
      `Expected JSON, or at most ${String(textLimits.yamlBytes / 1_024)} KiB of YAML.`,
    );
  const lines = new LineCounter();
  const documents: (Document.Parsed | Document)[] = [];
  try {
    const parsed = parseAllDocuments(source, {
      version: '1.2',
      schema: 'core',
      merge: false,
      // Its own check compares every key with every other.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'silent',
    });
    documents.push(...('empty' in parsed ? [] : parsed));
  } catch {
    throw refused('wrong_format', 'The text is neither JSON nor YAML.');
  }
  const faults: readonly TextFault[] = documents.flatMap((document) => [
    ...document.errors,
    ...document.warnings,
    ...repeatedKeys(document),
  ]);
  if (faults.length > 0) {
    throw invalidSpec(
      'The text',
      faults.slice(0, 20).map(({ code, pos }): Issue => {
        const line = String(lines.linePos(pos[0] ?? 0).line);
        return { path: '', code: 'wrong_format', message: `Line ${line}: ${faultOf(code)}` };
      }),
    );
  }
  if (documents.length > textLimits.documents)
    throw refused('too_large', `Expected at most ${String(textLimits.documents)} documents.`);
  try {
    const values = documents.map((document): unknown => document.toJS({ maxAliasCount: textLimits.aliases }));
    return values.length === 1 ? values[0] : values.filter((value) => value !== null);
  } catch {
    throw refused(
      'too_large',
      'The aliases of the YAML expand to too much, or to nothing. Write out what they stand for.',
    );
  }
}

/** A fault with the places where it begins and ends. */
interface TextFault {
  readonly code: string;
  readonly pos: readonly number[];
}

function repeatedKeys(document: Document.Parsed | Document): TextFault[] {
  const faults: TextFault[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) faults.push({ code: 'DUPLICATE_KEY', pos: key.range ?? [0] });
        seen.add(key.value);
      }
    },
  });
  return faults;
}

function faultOf(code: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'Expected plain data, but there is a tag. Remove it.';
  if (code === 'DUPLICATE_KEY') return 'A key stands here twice. Remove one of the two.';
  return `This is neither JSON nor YAML (${code.toLowerCase().replaceAll('_', ' ')}).`;
}

/** Whether brackets or indentation nest deeper than any document does: parsers of such text run out of stack. */
function isDeep(source: string): boolean {
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const sign = source[at];
    if (sign === '[' || sign === '{') depth += 1;
    else if (sign === ']' || sign === '}') depth = Math.max(0, depth - 1);
    else if (sign === '"') at = endOfString(source, at);
    if (depth > textLimits.depth) return true;
  }
  return /(?:^|\n)[ \t]*(?:[-?:] +){40}|(?:^|\n) {400}/u.test(source);
}

function refused(code: IssueCode, message: string): Error {
  return invalidSpec('The text', [{ path: '', code, message }]);
}
