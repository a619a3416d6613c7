import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnnouncedProgress } from '../../../src/platform/projectionProgress.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('announced progress', () => {
  it('releases those whose sequence is reached, and only them', async () => {
    const progress = new AnnouncedProgress();
    const five = progress.waitFor(5, 1_000);
    const nine = progress.waitFor(9, 1_000);
    progress.announce(7);
    expect(await five).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await nine).toBe(false);
    expect(progress.checkpoint()).toBe(7);
  });

  it('lets nobody wait for what is reached already', async () => {
    const progress = new AnnouncedProgress();
    expect(progress.checkpoint()).toBeNull();
    progress.announce(3);
    expect(await progress.waitFor(3, 1_000)).toBe(true);
  });

  it('lets no more wait than it was told, and nobody once it stops', async () => {
    const progress = new AnnouncedProgress({ waitersMax: 1 });
    const first = progress.waitFor(5, 1_000);
    expect(await progress.waitFor(5, 1_000)).toBe(false);
    progress.stop();
    expect(await first).toBe(false);
  });
});
