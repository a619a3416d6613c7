import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * `npm run bench [-- NAME …]`: the scenarios one after the other, each in a process of its own. The import takes the
 * file to import from BENCH_CORPUS; without one it is left out. The set-up says where its servers are, in NATS_SERVER_BIN
 * and REDIS_SERVER_BIN.
 */
const SCENARIOS = [
  'edgePublish',
  'fanout',
  'idleMemory',
  'latency',
  'storm',
  'unfollowed',
  'soak',
  'projector',
  'rebuild',
  'flatCost',
  'projectionLag',
  'tokenise',
  'logHistory',
  'httpRead',
  'httpSend',
  'classic',
  'caches',
  'uploads',
  'import',
] as const;

const wanted = process.argv.slice(2);
for (const name of SCENARIOS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (name === 'import' && !existsSync(process.env.BENCH_CORPUS ?? '')) {
    console.log('import: left out; name a file of JSON lines in BENCH_CORPUS');
    continue;
  }
  const script = fileURLToPath(new URL(`./scenarios/${name}.js`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
