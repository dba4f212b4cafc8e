import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type Header, pack, type Pack } from 'tar-stream';

/** What stands at one path of an image: a file of this machine, a text, or an empty folder. */
export type LayerEntry =
  | { readonly file: string; readonly mode?: number }
  | { readonly text: string; readonly mode?: number }
  | { readonly folder: true; readonly mode?: number };

/** Entries by absolute path. */
export type Layer = Readonly<Record<string, LayerEntry>>;

export interface SealedLayer {
  /** `sha256:…` of the archive. */
  readonly diffId: string;
  readonly archive: Buffer;
}

/** Makes the layer's archive: the same bytes for the same contents, whenever and wherever it is made. */
export async function sealLayer(layer: Layer): Promise<SealedLayer> {
  const tar = pack();
  const [archive] = await Promise.all([buffer(tar), writeEntries(tar, layer)]);
  return { diffId: `sha256:${createHash('sha256').update(archive).digest('hex')}`, archive };
}

/** Writes one file into an archive, without the time. */
export function addToArchive(
  tar: Pack,
  header: Pick<Header, 'name'> & Partial<Header>,
  content: Buffer | string = '',
): void {
  tar.entry({ ...header, mtime: new Date(0) }, content);
}

async function writeEntries(tar: Pack, layer: Layer): Promise<void> {
  try {
    for (const [path, entry] of Object.entries(withParents(layer)).sort(byPath)) {
      const name = path.slice(1);
      if ('folder' in entry)
        addToArchive(tar, { name: `${name}/`, type: 'directory', mode: entry.mode ?? 0o755 });
      else addToArchive(tar, { name, mode: entry.mode ?? 0o644 }, await contentOf(entry));
    }
    tar.finalize();
  } catch (cause) {
    tar.destroy(cause as Error);
    throw cause;
  }
}

async function contentOf(entry: Exclude<LayerEntry, { folder: true }>): Promise<Buffer | string> {
  return 'text' in entry ? entry.text : await readFile(entry.file);
}

function byPath([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** A folder that no entry names gets its mode from the engine's umask. */
function withParents(layer: Layer): Layer {
  const parents: Record<string, LayerEntry> = {};
  for (const path of Object.keys(layer)) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      parents[path.slice(0, end)] = { folder: true };
    }
  }
  return { ...parents, ...layer };
}
