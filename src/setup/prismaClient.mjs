import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeModules, root } from './paths.mjs';
import { hashOfFile, readStamp, writeStamp } from './stamp.mjs';
import { run, step } from './step.mjs';

const schema = join(root, 'prisma', 'schema.prisma');
const generated = join(root, 'prisma', 'generated');
const stampFile = join(generated, '.chat-backend-setup.json');

/**
 * Generates the Prisma client when the schema or Prisma's version changed.
 *
 * @param {{ quiet?: boolean }} options
 */
export async function generatePrismaClient(options) {
  const stamp = {
    schema: hashOfFile(schema),
    prisma: hashOfFile(join(nodeModules, 'prisma', 'package.json')),
  };
  const last = readStamp(stampFile);
  if (last.schema === stamp.schema && last.prisma === stamp.prisma) return;
  await step(options, 'generating the Prisma client', generate);
  writeStamp(stampFile, stamp);
}

/**
 * `generate` asks for an engine that it does not use and would download it; any executable satisfies it. Its check for
 * news is switched off too: nothing but registries is called.
 */
function generate() {
  const engine = existsSync('/bin/true') ? '/bin/true' : process.execPath;
  const quietly = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', NO_UPDATE_NOTIFIER: '1' };
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: engine, ...quietly };
  const prisma = join(nodeModules, 'prisma', 'build', 'index.js');
  return run(process.execPath, [prisma, 'generate', '--no-hints', `--schema=${schema}`], { cwd: root, env });
}
