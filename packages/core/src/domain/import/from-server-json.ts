import type { ReadingOptions } from './reading-options.js';
import type { Place } from './place.js';
import { packageDraft } from './registry-package.js';
import { remoteDraft } from './registry-remote.js';
import type { RegistryServer } from './registry-server.js';
import type { ServerDraft, ServerWays } from './server-draft.js';

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
export function fromServerJson(place: Place, options: ReadingOptions): ServerWays {
  const server = serverOf(place);
  place.leaveOthers(known);
  const packages = place.at('packages').items();
  const remotes = place.at('remotes').items();
  if (packages.length + remotes.length === 0)
    place.leave('It lists neither packages nor remotes, so nothing can run.');
  if (place.at('status').value === 'deleted') {
    place.at('status').leave('The registry says that it is deleted.');
    return [];
  }
  return [
    ...packages.map((entry) => packageDraft(entry, server, options)),
    ...remotes.map((entry) => remoteDraft(entry, server)),
  ].filter((draft): draft is ServerDraft => draft !== undefined);
}

function serverOf(place: Place): RegistryServer {
  const name = place.needed('name', 200);
  const detail = place.at('version_detail', 'versionDetail');
  const version = place.at('version').isAbsent ? detail.at('version') : place.at('version');
  const given = version.text(100)?.trim() ?? '';
  const isPlaceholder = /[${}]/u.test(given);
  if (isPlaceholder) version.leave('The version is a place that a release fills in; 1.0.0 is taken.');
  return {
    definition: {
      name,
      description: (place.at('description').text(65_536) ?? '').slice(0, 4_000),
      version: given === '' || isPlaceholder ? '1.0.0' : given,
      tags: [],
      ...(place.at('status').value === 'deprecated' ? { status: 'deprecated' as const } : {}),
    },
    instanceName: name.split('/').at(-1) ?? name,
  };
}
