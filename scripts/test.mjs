// `npm test`: installs if needed, builds, runs every test and ends with one line of totals.
// Arguments go to vitest: npm test -- --project unit

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './lib/install.mjs';
import { must, node, run, turbo } from './lib/run.mjs';
import { readJson, root } from './lib/workspaces.mjs';

const report = join(root, 'node_modules/.cache/test-report.json');

ensureInstalled();
must(...turbo(['build']));

rmSync(report, { force: true });
const status = run(
  ...node('vitest/vitest.mjs', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]),
);
const { passed, failed, skipped } = countResults();

if (passed + failed === 0) console.error('No test ran.');
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = status !== 0 || failed > 0 || passed === 0 ? 1 : 0;

/**
 * Counts tests. A file that broke before its tests could run counts as one that failed, and so does an error that
 * belongs to no test.
 */
function countResults() {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(report);
  const brokenFiles = testResults.filter(
    (/** @type {{ status: string, assertionResults: { status: string }[] }} */ file) =>
      file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failures = numFailedTests + brokenFiles.length;
  return {
    passed: numPassedTests,
    failed: failures === 0 && numPassedTests > 0 && status !== 0 ? 1 : failures,
    skipped: numPendingTests + numTodoTests,
  };
}
