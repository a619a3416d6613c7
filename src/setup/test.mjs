import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithParent } from './endWithParent.mjs';
import { nodeModules, root } from './paths.mjs';
import { setUp } from './setup.mjs';
import { summary } from './testSummary.mjs';

/**
 * `npm test`: set-up, then format and lint, types, and all tests. Arguments are handed to vitest, as in
 * `npm test -- test/unit`; then only the tests run. The last line says `N passed, N failed`, the exit code agrees.
 */
endWithParent();
await setUp({ redisServer: true });
const vitestArgs = process.argv.slice(2);
const checks =
  vitestArgs.length > 0
    ? []
    : [
        { title: 'format and lint', args: [tool('@biomejs/biome/bin/biome'), 'ci', '.'] },
        { title: 'types', args: [tool('typescript/bin/tsc'), '--noEmit', '-p', 'test'] },
      ];

let checksFailed = 0;
for (const { title, args } of checks) {
  console.log(`\n── ${title}`);
  if ((await runNode(args)) !== 0) checksFailed++;
}

console.log('\n── tests');
const report = join(tmpdir(), `chat-backend-tests-${process.pid}.json`);
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const exitCode = await runNode([tool('vitest/vitest.mjs'), 'run', ...reporters, ...vitestArgs]);
const { passed, failed } = summary(readReport(), exitCode, checksFailed);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @param {string} path */
function tool(path) {
  return join(nodeModules, ...path.split('/'));
}

/** @param {string[]} args @returns {Promise<number>} its exit code */
function runNode(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, forward);
    child.once('close', (code) => {
      for (const signal of ['SIGINT', 'SIGTERM']) process.removeListener(signal, forward);
      resolve(code ?? 1);
    });
  });
}

function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return null;
  } finally {
    rmSync(report, { force: true });
  }
}
