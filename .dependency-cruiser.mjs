/**
 * Who may import whom. Type-only imports count: what a file says it needs, it needs.
 *
 * async, domain <- ports <- services, mcp, guards <- runtime (imports all); adapters see what any plugin sees, testing what
 * any host sees, and mcp. Inside services a room sees the rooms below it only.
 */

/**
 * A layer of core imports itself and the named layers, nothing else of core.
 * @param {string} layer
 * @param {...string} allowed
 * @returns {import('dependency-cruiser').IForbiddenRuleType}
 */
const layer = (layer, ...allowed) => ({
  name: `core-${layer}`,
  comment: `core/src/${layer} imports only ${['itself', ...allowed].join(', ')} of this repository.`,
  severity: 'error',
  from: { path: `^packages/core/src/${layer}/`, pathNot: String.raw`\.test\.ts$` },
  to: {
    path: '^(packages|tools|examples|bench|chaos)/',
    pathNot: [layer, ...allowed].map((name) =>
      name.endsWith('.ts') ? `^packages/core/src/${name}$` : `^packages/core/src/${name}/`,
    ),
  },
});

/** The rooms of services, from the floor up: each may import those before it. */
const rooms = [
  'context',
  'events',
  'secrets',
  'ownership',
  'health',
  'reconcile',
  'sessions',
  'servers',
  'instances',
  'documents',
];

/**
 * A room of services imports itself and the rooms below it, no other room.
 * @param {string} room
 * @param {number} floor
 * @returns {import('dependency-cruiser').IForbiddenRuleType}
 */
const roomRule = (room, floor) => ({
  name: `room-${room}`,
  comment: `services/${room} imports only ${rooms.slice(0, floor + 1).join(', ')} of the rooms of services.`,
  severity: 'error',
  from: { path: `^packages/core/src/services/${room}/`, pathNot: String.raw`\.test\.ts$` },
  to: {
    path: '^packages/core/src/services/',
    pathNot: rooms.slice(0, floor + 1).map((below) => `^packages/core/src/services/${below}/`),
  },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    layer('domain'),
    layer('async', 'domain/errors'),
    layer('ports', 'domain'),
    layer('services', 'ports', 'domain', 'async'),
    layer('mcp', 'ports', 'domain', 'async'),
    layer('guards', 'ports', 'domain', 'async'),
    layer('adapters', 'plugin.ts', 'plugin-essentials.ts'),
    layer('testing', 'plugin.ts', 'index.ts', 'mcp'),
    ...rooms.map(roomRule),
    {
      name: 'core-is-alone',
      comment: 'core knows no other package of this repository.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: String.raw`\.test\.ts$` },
      to: { path: '^(packages|tools|examples|bench|chaos)/', pathNot: '^packages/core/src/' },
    },
    {
      name: 'domain-does-no-io',
      comment: 'domain is pure. Hashing and text encoding are; files, sockets, processes and timers are not.',
      severity: 'error',
      from: { path: '^packages/core/src/domain/', pathNot: String.raw`\.test\.ts$` },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|crypto|string_decoder|url|util)$' },
    },
    {
      name: 'domain-libraries',
      comment: 'domain parses and describes with zod and TypeBox; every other library does something.',
      severity: 'error',
      from: { path: '^packages/core/src/domain/', pathNot: String.raw`\.test\.ts$` },
      to: { path: 'node_modules/', pathNot: 'node_modules/(zod|@sinclair/typebox)/' },
    },
    {
      name: 'package-uses-plugin-entry',
      comment: 'Packages see core as any third-party plugin does: through @mcpinfra/core/plugin.',
      severity: 'error',
      from: { path: '^packages/(?!core/|import/)[^/]+/src/', pathNot: String.raw`\.test\.ts$` },
      to: { path: '^packages/core/', pathNot: '^packages/core/src/plugin.ts$' },
    },
    {
      name: 'import-uses-public-entries',
      // It is no plugin: the host calls it with its MCPInfra.
      comment:
        'The import package sees core as any host does: through @mcpinfra/core and @mcpinfra/core/plugin.',
      severity: 'error',
      from: { path: '^packages/import/src/', pathNot: String.raw`\.test\.ts$` },
      to: { path: '^packages/core/', pathNot: '^packages/core/src/(index|plugin).ts$' },
    },
    {
      name: 'packages-are-strangers',
      comment: 'Packages never import each other, nor tools, examples, bench or chaos.',
      severity: 'error',
      from: { path: '^packages/(?!core/)([^/]+)/src/', pathNot: String.raw`\.test\.ts$` },
      to: { path: '^(packages|tools|examples|bench|chaos)/', pathNot: ['^packages/$1/', '^packages/core/'] },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle hides which of its files can be understood alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      comment: 'An import that cannot be resolved escapes every rule above.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: ['/dist/', String.raw`\.config\.ts$`] },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      conditionNames: ['mcpinfra-source', 'types', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
