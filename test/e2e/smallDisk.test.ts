import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call } from '../support/http/httpApi.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';

const GB = 1_024 ** 3;
const canMount = spawnSync('unshare', ['--mount', 'true']).status === 0 && process.getuid?.() === 0;

/** Where the test may mount a disk. */
describe.runIf(canMount)('a first start on a disk of 3 GB', () => {
  let folder: string;
  let disk: string;
  let system: RunningSystem;
  beforeEach(() => {
    folder = makeTempFolder('small');
    disk = join(folder, 'disk');
    mkdirSync(disk);
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3G,mode=755', 'tmpfs', disk]).status).toBe(0);
  });
  afterEach(async () => {
    await system?.remove();
    spawnSync('umount', [disk]);
    rmSync(folder, { recursive: true });
  });

  test('chooses sizes that fit, says which, and finds the same ones at the next start', async () => {
    system = await startRunningSystem({ CHAT_DATA_DIR: join(disk, 'data') });
    const size = async () => (await call(system.apiUrl, 'GET', '/health/stream')).body.bytesMax;
    const chosen = await size();
    expect(chosen).toBeGreaterThan(GB / 2);
    expect(chosen).toBeLessThan(0.75 * 3 * GB);
    expect(system.output()).toContain(`"streamBytesMax":${chosen}`);
    await system.stop();
    await system.start();
    expect(await size()).toBe(chosen);
    const wanted = { userId: 'alice', visibility: 'open' };
    expect((await call(system.apiUrl, 'POST', '/api/chat/conversations', wanted)).status).toBe(201);
  });
});
