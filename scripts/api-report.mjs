// Compares the public types of the package in the current folder with its etc/<entry>.api.md.
// With --update it writes them instead.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  ExtractorMessageCategory,
} from '@microsoft/api-extractor';
import { readJson } from './lib/workspaces.mjs';

const folder = process.cwd();
const manifestPath = join(folder, 'package.json');
const update = process.argv.includes('--update');

mkdirSync(join(folder, 'etc'), { recursive: true });

/** Types that one entry point uses without exporting them. */
const borrowed = new Set();
let reports = '';

for (const [entry, target] of Object.entries(readJson(manifestPath).exports)) {
  if (!target.types) continue;
  const name = entry === '.' ? 'index' : entry.slice('./'.length).replaceAll('/', '-');
  const { succeeded, apiReportChanged } = Extractor.invoke(configFor(name, join(folder, target.types)), {
    localBuild: update,
    messageCallback: (message) => {
      if (message.messageId === 'ae-forgotten-export') borrowed.add(/"(.+?)"/.exec(message.text)?.[1]);
      else if (message.category !== ExtractorMessageCategory.Console) return;
      message.logLevel = ExtractorLogLevel.None;
    },
  });
  if (apiReportChanged)
    console.log(`etc/${name}.api.md ${update ? 'updated' : 'differs: npm run api:update'}`);
  if (!succeeded || (apiReportChanged && !update)) process.exitCode = 1;
  const report = join(folder, 'etc', `${name}.api.md`);
  if (existsSync(report)) reports += readFileSync(report, 'utf8');
}

for (const type of update ? [] : borrowed) {
  const declaration = String.raw`^export (\{|(abstract )?(class|interface|type|const|function)) ${type}\b`;
  if (new RegExp(declaration, 'm').test(reports)) continue;
  console.error(`${type} is part of a public signature, but no entry point exports it`);
  process.exitCode = 1;
}

/**
 * @param {string} name
 * @param {string} mainEntryPointFilePath
 */
function configFor(name, mainEntryPointFilePath) {
  return ExtractorConfig.prepare({
    configObjectFullPath: join(folder, 'api-extractor.json'),
    packageJsonFullPath: manifestPath,
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2022',
            lib: ['ES2023', 'ESNext.Disposable'],
            module: 'NodeNext',
            moduleResolution: 'NodeNext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: [mainEntryPointFilePath],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(folder, 'etc'),
        reportTempFolder: join(folder, 'node_modules/.cache/api'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          // The report marks what has no comment; a property whose name says it all needs none.
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
          // A link may name what another entry point exports.
          'ae-unresolved-link': { logLevel: ExtractorLogLevel.None },
          // Everything exported is public: the entry point's index names each export.
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
}
