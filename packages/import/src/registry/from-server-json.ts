import type { ReadingOptions } from '../reading-options.js';
import type { DocumentNode } from '../documents/document-node.js';
import { packageDraft } from './registry-package.js';
import { remoteDraft } from './registry-remote.js';
import type { RegistryServer } from './registry-server.js';
import type { ServerDraft, ServerWays } from '../drafts/server-draft.js';

const known = [
  ...[
    '$schema',
    'name',
    'title',
    'description',
    'version',
    'version_detail',
    'versionDetail',
    'status',
    'id',
  ],
  ...['repository', 'websiteUrl', 'website_url', 'icons', 'packages', 'remotes', '_meta'],
];

/** Reads an entry of the official registry: schema 2025-12-11, and the shapes before it. Each package and remote is a way. */
export function fromServerJson(node: DocumentNode, options: ReadingOptions): ServerWays {
  const server = serverOf(node);
  node.leaveOthers(known);
  const packages = node.at('packages').items();
  const remotes = node.at('remotes').items();
  if (packages.length + remotes.length === 0)
    node.leave('It lists neither packages nor remotes, so nothing can run.');
  if (node.at('status').value === 'deleted') {
    node.at('status').leave('The registry says that it is deleted.');
    return [];
  }
  return [
    ...packages.map((entry) => packageDraft(entry, server, options)),
    ...remotes.map((entry) => remoteDraft(entry, server)),
  ].filter((draft): draft is ServerDraft => draft !== undefined);
}

function serverOf(node: DocumentNode): RegistryServer {
  const name = node.needed('name', 200);
  const detail = node.at('version_detail', 'versionDetail');
  const version = node.at('version').isAbsent ? detail.at('version') : node.at('version');
  const given = version.text(100)?.trim() ?? '';
  const isPlaceholder = /[${}]/u.test(given);
  if (isPlaceholder) version.leave('The version is a place that a release fills in; 1.0.0 is taken.');
  return {
    definition: {
      name,
      description: (node.at('description').text(65_536) ?? '').slice(0, 4_000),
      version: given === '' || isPlaceholder ? '1.0.0' : given,
      tags: [],
      ...(node.at('status').value === 'deprecated' ? { status: 'deprecated' as const } : {}),
    },
    instanceName: name.split('/').at(-1) ?? name,
  };
}
