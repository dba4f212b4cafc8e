import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ServiceUnavailable } from '../services/service-unavailable.js';
import type { Layer, LayerEntry } from './layer.js';

/** Where images have the Node that built them. */
export const nodePath = '/usr/bin/node';

const accounts = {
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/false\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\nnonroot:x:65532:65532:nonroot:/tmp:/bin/false\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\nnonroot:x:65532:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Everything the Node that runs this needs to run in an image that has nothing else. */
export async function nodeLayer(): Promise<Layer> {
  if (process.platform !== 'linux') {
    throw new ServiceUnavailable(
      'Container images',
      `they carry this machine's Node, and that is for ${process.platform}`,
    );
  }
  const { stdout } = await promisify(execFile)('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(?:=>\s+|^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  const entries: [string, LayerEntry][] = [
    [nodePath, { file: process.execPath, mode: 0o755 }],
    ...libraries.map((path): [string, LayerEntry] => [path, { file: path, mode: 0o755 }]),
    ...Object.entries(accounts).map(([path, text]): [string, LayerEntry] => [path, { text }]),
    ['/root', { folder: true, mode: 0o700 }],
    ['/tmp', { folder: true, mode: 0o1777 }],
  ];
  return Object.fromEntries(entries);
}
