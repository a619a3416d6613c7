import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { groupOf } from '../../../../src/contracts/events/subjects.ts';
import { AnnouncedProgress } from '../../../../src/platform/nats/projectionProgress.ts';

const conversationId = 'c_aaaaaaaaaaaaaaaaaaaaa';
const group = groupOf(conversationId);

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
    const five = progress.waitFor(conversationId, 5, 1_000);
    const nine = progress.waitFor(conversationId, 9, 1_000);
    progress.announce({ group, seq: 7, parked: [] });
    expect(await five).toBe('reached');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await nine).toBe('late');
  });

  it('lets nobody wait for what is reached already', async () => {
    const progress = new AnnouncedProgress();
    progress.announce({ group, seq: 3, parked: [] });
    expect(await progress.waitFor(conversationId, 3, 1_000)).toBe('reached');
  });

  it('takes no other group’s word for it', async () => {
    const progress = new AnnouncedProgress();
    const waiting = progress.waitFor(conversationId, 5, 1_000);
    progress.announce({ group: (group + 1) % 4, seq: 7, parked: [] });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toBe('late');
  });

  it('says of a conversation that is parked that it is, although the group is past it', async () => {
    const progress = new AnnouncedProgress();
    const waiting = progress.waitFor(conversationId, 5, 1_000);
    progress.announce({ group, seq: 7, parked: [conversationId] });
    expect(await waiting).toBe('parked');
    expect(await progress.waitFor(conversationId, 6, 1_000)).toBe('parked');
    progress.announce({ group, seq: 7, parked: [] });
    expect(await progress.waitFor(conversationId, 6, 1_000)).toBe('reached');
  });

  it('lets no more wait than it was told, and nobody once it stops', async () => {
    const progress = new AnnouncedProgress({ waitersMax: 1 });
    const first = progress.waitFor(conversationId, 5, 1_000);
    expect(await progress.waitFor(conversationId, 5, 1_000)).toBe('late');
    progress.stop();
    expect(await first).toBe('late');
  });
});
