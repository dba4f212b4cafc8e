import { join } from 'node:path';
import comments from '@eslint-community/eslint-plugin-eslint-comments';
import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import n from 'eslint-plugin-n';
import tsdoc from 'eslint-plugin-tsdoc';
import unicorn from 'eslint-plugin-unicorn';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { workspaces } from './scripts/lib/workspaces.mjs';

const root = import.meta.dirname;
const tests = ['**/*.test.ts', '**/*.test-d.ts', '**/test/**/*.ts'];
const configs = ['**/*.config.{js,ts}', '**/.dependency-cruiser.mjs', 'tsup.base.ts'];

const plainError = {
  selector: "NewExpression[callee.name='Error']",
  message:
    'Throw an error of the taxonomy (MCPInfraError and its classes), so that it has a code and says what to do.',
};
// Cleared a microtask late, or by the wrong attempt: see core/src/async for what does it right.
const ownFlight = {
  selector:
    "AssignmentExpression[operator='??='] > CallExpression > MemberExpression[property.name=/^(then|finally|catch)$/]",
  message: 'Use Once, SharedCalls or SingleFlight of core/src/async.',
};
// A timer with flags around it is what core/src/async has done right once.
/** @type {import('eslint').Linter.RulesRecord} */
const ownTimers = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval'].map((name) => ({
      name,
      message: 'Use sleep, withDeadline, retry or Recurring, or the schedule of a clock.',
    })),
  ],
  'no-restricted-imports': [
    'error',
    {
      name: 'node:timers/promises',
      importNames: ['setTimeout', 'setInterval', 'scheduler'],
      message: 'Use sleep, withDeadline, retry or Recurring.',
    },
  ],
};
const anySignal = {
  selector: "CallExpression[callee.object.name='AbortSignal'][callee.property.name='any']",
  message: 'Use joinSignals or underSignals of core/src/async: it leaves traces on signals that live long.',
};
// What is thrown there ends the process.
const bareListener = {
  selector:
    'CallExpression[callee.property.name=/^(on|once|addListener|prependListener)$/][arguments.0.value=/^(abort|close|connect|data|drain|end|error|exit|message|notification|ready|response|spawn|tlsClientError|upgrade)/] > :matches(ArrowFunctionExpression, FunctionExpression).arguments',
  message:
    'Wrap it by edge() of core/src/async, which gives what it throws to its owner; or use ignoreError.',
};
const currentDate = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Take the time from the Clock port.',
};

export default defineConfig(
  globalIgnores(['**/dist/', '**/.turbo/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { tsdoc },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A port's method returns a promise also where one adapter has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      'tsdoc/syntax': 'error',
    },
  },
  {
    files: ['**/*.{js,mjs,ts}'],
    plugins: { '@eslint-community/eslint-comments': comments, 'import-x': importX, n, unicorn },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          conditionNames: ['mcpinfra-source', 'types', 'import', 'node', 'default'],
          extensionAlias: { '.js': ['.ts', '.js'] },
        }),
      ],
    },
    rules: {
      '@eslint-community/eslint-comments/no-unlimited-disable': 'error',
      '@eslint-community/eslint-comments/require-description': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-relative-packages': 'error',
      'max-lines': ['error', 400],
      // Three, then an options object.
      'max-params': ['error', 4],
      'n/no-process-env': 'error',
      'n/prefer-node-protocol': 'error',
      'no-console': 'error',
      // The compiler knows which names exist, in JavaScript too.
      'no-undef': 'off',
      'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    },
  },

  // A package may import what its own package.json lists; its tests and configs also what the root lists.
  workspaces().flatMap(({ directory }) => [
    dependenciesOf(`${directory}/**`, [directory], false),
    dependenciesOf(
      [`${directory}/*.config.ts`, ...tests.map((glob) => `${directory}/${glob}`)],
      [directory, '.'],
      true,
    ),
  ]),

  {
    files: ['packages/*/src/**'],
    ignores: tests,
    rules: { 'no-restricted-syntax': ['error', plainError, anySignal, bareListener] },
  },
  {
    files: ['packages/*/src/**'],
    // A suite stands for the world around a plugin, and rests on nothing of what it tests.
    ignores: [
      ...tests,
      'packages/core/src/async/**',
      'packages/core/src/runtime/system-clock.ts',
      'packages/conformance/src/**',
    ],
    rules: { ...ownTimers, 'no-restricted-syntax': ['error', plainError, ownFlight, anySignal] },
  },
  // The functions of a table of cases have the types that the table gives them.
  {
    files: ['packages/conformance/src/**/*-cases.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['packages/core/src/domain/**', 'packages/core/src/services/**'],
    ignores: tests,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'].map((name) => ({
          name,
          message: 'Time and randomness come in through a port.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take the time from the Clock port.' },
        { object: 'Math', property: 'random', message: 'Take randomness as an argument.' },
      ],
      'no-restricted-syntax': ['error', plainError, ownFlight, anySignal, bareListener, currentDate],
    },
  },

  // Tests may be long, reach into what they know is there, and need no declared return types.
  {
    files: tests,
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': ['error', 800],
      // A row of a table test has as many columns as it needs.
      'max-params': 'off',
      'n/no-process-env': 'off',
    },
  },
  {
    files: ['packages/*/test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/src/**'], message: 'Tests of a package import the package, not its sources.' },
          ],
        },
      ],
    },
  },
  // Programs print and read their environment.
  {
    files: ['bench/**', 'chaos/**', 'examples/**', 'tools/**', 'scripts/**'],
    rules: { 'n/no-process-env': 'off', 'no-console': 'off' },
  },
  {
    files: configs,
    rules: { 'import-x/no-default-export': 'off', 'import-x/no-relative-packages': 'off' },
  },
);

/**
 * @param {string | string[]} files
 * @param {string[]} directories
 * @param {boolean} devDependencies
 * @returns {import('eslint').Linter.Config}
 */
function dependenciesOf(files, directories, devDependencies) {
  return {
    files: [files].flat(),
    rules: {
      'import-x/no-extraneous-dependencies': [
        'error',
        { devDependencies, packageDir: directories.map((directory) => join(root, directory)) },
      ],
    },
  };
}
