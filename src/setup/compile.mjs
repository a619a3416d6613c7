import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dist, nodeModules, root } from './paths.mjs';
import { fingerprint, readStamp, writeStamp } from './stamp.mjs';
import { run, step } from './step.mjs';

const stampFile = join(dist, '.chat-backend-setup.json');
const places = ['src', 'projections', 'prisma', 'bench', 'tsconfig.json', 'package-lock.json'];

/**
 * Compiles with tsc when a source changed.
 *
 * @param {{ quiet?: boolean }} options
 */
export async function compile(options) {
  const sources = fingerprint(
    places,
    (path) => /\.(ts|json)$/.test(path) && !path.includes('.chat-backend-setup'),
  );
  const last = /** @type {Record<string, string>} */ (readStamp(stampFile).sources ?? {});
  if (isSame(sources, last)) return;
  await step(options, 'compiling', async () => {
    removeOutputsOf(Object.keys(last).filter((path) => !(path in sources)));
    const tsc = join(nodeModules, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: root });
  });
  writeStamp(stampFile, { sources });
}

/** @param {Record<string, string>} one @param {Record<string, string>} other */
function isSame(one, other) {
  const paths = Object.keys(one);
  return paths.length === Object.keys(other).length && paths.every((path) => one[path] === other[path]);
}

/** tsc leaves the outputs of removed sources, which would still be found. @param {string[]} removed */
function removeOutputsOf(removed) {
  for (const path of removed.filter((source) => source.endsWith('.ts'))) {
    const output = join(dist, path.replace(/\.ts$/, '.js'));
    for (const file of [output, `${output}.map`]) if (existsSync(file)) rmSync(file);
  }
}
