import { beforeEach, describe, expect, it } from 'vitest';
import { PeriodicTask, type PeriodicTaskOptions } from '../../../../src/platform/time/periodicTask.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

let time: ManualTime;
let runs: number;
let errors: unknown[];

beforeEach(() => {
  time = new ManualTime();
  runs = 0;
  errors = [];
});

function task(options: Partial<PeriodicTaskOptions> = {}): PeriodicTask {
  return new PeriodicTask({
    run: async () => {
      runs += 1;
    },
    timers: time,
    intervalMs: 1_000,
    onError: (error) => errors.push(error),
    ...options,
  });
}

/** All that follows without time passing. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function passes(ms: number): Promise<void> {
  await time.advance(ms);
  await settled();
}

/** A run that ends when the test says so. */
function heldRun() {
  let end: () => void = () => {};
  const signals: AbortSignal[] = [];
  const run = (signal: AbortSignal) => {
    runs += 1;
    signals.push(signal);
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  return { run, end: () => end(), signals };
}

describe('a periodic task', () => {
  it('runs at once and then in every interval, until it is stopped', async () => {
    const periodic = task();
    expect(runs).toBe(0);
    periodic.start();
    await settled();
    expect(runs).toBe(1);
    await passes(999);
    expect(runs).toBe(1);
    await passes(1);
    expect(runs).toBe(2);
    await passes(1_000);
    expect(runs).toBe(3);
    await periodic.stop();
    expect(time.pending).toBe(0);
    await passes(10_000);
    expect(runs).toBe(3);
  });

  it('rests before its first run when it is asked to', async () => {
    const periodic = task({ restsFirst: true });
    periodic.start();
    await passes(999);
    expect(runs).toBe(0);
    await passes(1);
    expect(runs).toBe(1);
    await periodic.stop();
  });

  it('has one run in flight at a time, and rests from its end on', async () => {
    const held = heldRun();
    const periodic = task({ run: held.run });
    periodic.start();
    periodic.start();
    await passes(5_000);
    expect(runs).toBe(1);
    held.end();
    await settled();
    await passes(999);
    expect(runs).toBe(1);
    await passes(1);
    expect(runs).toBe(2);
    const stopped = periodic.stop();
    held.end();
    await stopped;
  });

  it('aborts the run in flight when it is stopped, and waits for its end', async () => {
    const held = heldRun();
    const periodic = task({ run: held.run });
    periodic.start();
    expect(held.signals[0]?.aborted).toBe(false);
    let isStopped = false;
    const stopped = periodic.stop().then(() => {
      isStopped = true;
    });
    await settled();
    expect([held.signals[0]?.aborted, isStopped]).toEqual([true, false]);
    held.end();
    await stopped;
    expect(time.pending).toBe(0);
    expect(runs).toBe(1);
  });

  it('tells what a run throws, and runs again', async () => {
    const fault = new Error('away');
    const periodic = task({
      run: async () => {
        runs += 1;
        if (runs === 1) throw fault;
      },
    });
    periodic.start();
    await settled();
    expect(errors).toEqual([fault]);
    await passes(1_000);
    expect([runs, errors.length]).toEqual([2, 1]);
    await periodic.stop();
  });

  it('rests longer or shorter by its jitter, and as long as the latest run says', async () => {
    let intervalMs = 1_000;
    const periodic = task({ intervalMs: () => intervalMs, jitter: 0.25, random: () => 0 });
    periodic.start();
    await settled();
    intervalMs = 2_000;
    await passes(749);
    expect(runs).toBe(1);
    await passes(1);
    expect(runs).toBe(2);
    await passes(1_499);
    expect(runs).toBe(2);
    await passes(1);
    expect(runs).toBe(3);
    await periodic.stop();
  });

  it('that is stopped before it is started never runs', async () => {
    const periodic = task();
    await periodic.stop();
    periodic.start();
    await passes(5_000);
    expect([runs, time.pending]).toEqual([0, 0]);
  });
});
