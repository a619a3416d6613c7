import { expect, test } from 'vitest';
import { exitCode, launch } from '../support/servers/runningSystem.ts';

test('clients that come and go, some in the middle of a request, leave nothing behind at the edge', async () => {
  const soak = launch(
    { ...process.env, BENCH_CYCLES: '3000', BENCH_WARM_UP: '2000' },
    'dist/bench/scenarios/soak.js',
  );
  expect(await exitCode(soak.child), soak.output()).toBe(0);
  const [, before, after] = /heap ([\d.]+) MB before, ([\d.]+) MB after/.exec(soak.output()) ?? [];
  expect(Number(before)).toBeGreaterThan(0);
  // The ring of recent events goes on filling; what clients left behind would be more.
  expect(Number(after) - Number(before)).toBeLessThan(12);
});
