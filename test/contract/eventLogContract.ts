import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemIds } from '../../src/platform/ids.ts';
import type { EventFeed, FollowedEvent, FollowOptions } from '../../src/ports/eventFeed.ts';
import { type AppendRequest, type EventLog, EventTooLargeError } from '../../src/ports/eventLog.ts';
import { readEvents } from '../../src/ports/readEvents.ts';
import { waitFor } from '../support/time/waitFor.ts';

export interface LogUnderTest {
  readonly log: EventLog & EventFeed;
  close(): Promise<void>;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What every implementation of the log's ports must do. */
export function eventLogContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(name, () => {
    let opened: LogUnderTest;
    let log: EventLog & EventFeed;

    beforeAll(async () => {
      opened = await open();
      log = opened.log;
    });
    afterAll(() => opened.close());

    const request = (
      conversationId: string,
      text: string,
      more: Partial<AppendRequest> = {},
    ): AppendRequest => ({
      conversationId,
      category: 'message',
      bytes: bytesOf(text),
      idempotencyKey: systemIds.idempotencyKey(),
      ...more,
    });

    async function append(
      conversationId: string,
      text: string,
      more: Partial<AppendRequest> = {},
    ): Promise<number> {
      const result = await log.append(request(conversationId, text, more));
      if (result.outcome !== 'stored') throw new Error('conflict');
      return result.seq;
    }

    async function follow(options: Omit<FollowOptions, 'onEvent'>) {
      const events: FollowedEvent[] = [];
      const following = await log.follow({ ...options, onEvent: (event) => events.push(event) });
      return { events, following };
    }

    test('sequences increase and the stored bytes are the appended bytes', async () => {
      const id = systemIds.conversationId();
      const first = await append(id, '{"text":"grüße 👋"}');
      const second = await append(id, 'second');
      expect(second).toBeGreaterThan(first);
      const stored = await log.at(first);
      expect(stored).toMatchObject({ seq: first, conversationId: id, category: 'message' });
      expect(textOf(stored?.bytes ?? new Uint8Array())).toBe('{"text":"grüße 👋"}');
      expect(Math.abs(Date.now() - (stored?.storedAtMs ?? 0))).toBeLessThan(60_000);
      expect((await log.latest(id, 'message'))?.seq).toBe(second);
    });

    test('the same key is stored once, whatever else differs', async () => {
      const id = systemIds.conversationId();
      const key = systemIds.idempotencyKey();
      const seq = await append(id, 'first', { idempotencyKey: key });
      const again = await log.append(request(id, 'other', { idempotencyKey: key }));
      expect(again).toEqual({ outcome: 'stored', seq, duplicate: true });
      expect((await log.latest(id, 'message'))?.seq).toBe(seq);
    });

    test('nothing is delivered before the follower has confirmed, and nothing at all when it does not', async () => {
      const id = systemIds.conversationId();
      const seq = await append(id, 'one');
      let confirm: (answer: boolean) => void = () => {};
      const asked = new Promise<boolean>((resolve) => {
        confirm = resolve;
      });
      const seen: number[] = [];
      const onEvent = (event: FollowedEvent) => seen.push(event.seq);
      const range = { conversationId: id, after: seq - 1, onEvent };
      const waiting = log.follow({ ...range, confirm: () => asked });
      const refused = await log.follow({ ...range, confirm: async () => false });
      expect(seen).toEqual([]);
      confirm(true);
      const following = await waiting;
      await waitFor('the event', () => seen.length > 0);
      await append(id, 'two');
      await waitFor('the next one', () => seen.length > 1);
      expect(seen).toEqual([seq, seq + 1]);
      await Promise.all([following.stop(), refused.stop()]);
    });

    test('an expected sequence guards each conversation and category by itself', async () => {
      const id = systemIds.conversationId();
      const state = { category: 'conversation' } as const;
      const created = await append(id, 'created', { ...state, expectedSeq: 0 });
      expect(await log.append(request(id, 'late', { ...state, expectedSeq: 0 }))).toEqual({
        outcome: 'conflict',
      });
      await append(id, 'a message in between');
      await append(id, 'renamed', { ...state, expectedSeq: created });
      expect(await log.append(request(id, 'stale', { ...state, expectedSeq: created }))).toEqual({
        outcome: 'conflict',
      });
      await append(systemIds.conversationId(), 'another', { ...state, expectedSeq: 0 });
    });

    test('an event that is too large is refused and nothing is stored', async () => {
      const id = systemIds.conversationId();
      await expect(log.append(request(id, 'x'.repeat(1_000_001)))).rejects.toBeInstanceOf(EventTooLargeError);
      expect(await log.latest(id, 'message')).toBeNull();
    });

    test('what is not there is null', async () => {
      expect(await log.latest(systemIds.conversationId(), 'conversation')).toBeNull();
      expect(await log.at(0)).toBeNull();
      expect(await log.at((await log.status()).lastSeq + 1_000)).toBeNull();
    });

    test('the status names epoch and end', async () => {
      const seq = await append(systemIds.conversationId(), 'the last one');
      expect(await log.status()).toMatchObject({ epoch: log.epoch, lastSeq: seq, replicas: 1 });
      expect((await log.status()).previousEpoch).toBeNull();
      expect(log.epoch).toMatch(/^[A-Za-z0-9]{1,32}$/);
    });

    test('what was appended or read is known without asking', async () => {
      const id = systemIds.conversationId();
      const seq = await append(id, 'known');
      expect(log.knownSeq).toBeGreaterThanOrEqual(seq);
      const { lastSeq } = await log.status();
      expect(log.knownSeq).toBeLessThanOrEqual(lastSeq);
    });

    test('a follower gets past events, then live ones, each once and in order, while many append at once', async () => {
      const ids = Array.from({ length: 5 }, () => systemIds.conversationId());
      const start = (await log.status()).lastSeq;
      const before = await Promise.all(ids.map((id) => append(id, 'before')));
      const { events, following } = await follow({ after: start });
      const live = await Promise.all(
        Array.from({ length: 300 }, (_, n) => append(ids[n % ids.length] ?? '', `live ${n}`)),
      );
      await waitFor('all events', () => events.length === before.length + live.length);
      const seqs = events.map(({ seq }) => seq);
      expect(seqs).toEqual([...before, ...live].sort((a, b) => a - b));
      expect(following.position).toBe(seqs.at(-1));
      await waitFor('nothing to remain', () => following.remaining === 0);
      await following.stop();
    });

    test('following from now leaves the past out', async () => {
      const id = systemIds.conversationId();
      await append(id, 'past');
      const { events, following } = await follow({ after: 'now' });
      const seq = await append(id, 'future');
      await waitFor('the future', () => events.length > 0);
      expect(events.map((event) => event.seq)).toEqual([seq]);
      await following.stop();
    });

    test('following can be narrowed to a conversation and to a category', async () => {
      const id = systemIds.conversationId();
      const start = (await log.status()).lastSeq;
      const created = await append(id, 'created', { category: 'conversation' });
      const posted = await append(id, 'posted');
      await append(systemIds.conversationId(), 'elsewhere');
      const both = await follow({ after: start, conversationId: id });
      const messages = await follow({ after: start, conversationId: id, category: 'message' });
      const changes = await follow({ after: start, category: 'conversation' });
      await waitFor('both', () => both.events.length === 2);
      await waitFor('the message', () => messages.events.length === 1);
      await waitFor('the change', () => changes.events.length === 1);
      expect(both.events.map(({ seq }) => seq)).toEqual([created, posted]);
      expect(messages.events[0]?.seq).toBe(posted);
      expect(changes.events[0]?.seq).toBe(created);
      for (const { following } of [both, messages, changes]) await following.stop();
    });

    test('without payloads the keys are still there', async () => {
      const id = systemIds.conversationId();
      await append(id, 'a payload', { idempotencyKey: 'm_of-this-very-message' });
      const { events, following } = await follow({ after: 0, conversationId: id, headersOnly: true });
      await waitFor('the event', () => events.length === 1);
      expect(events[0]?.idempotencyKey()).toBe('m_of-this-very-message');
      expect(events[0]?.bytes).toHaveLength(0);
      await following.stop();
    });

    test('a follower that does not release is held up, and goes on when it does', async () => {
      const id = systemIds.conversationId();
      for (let n = 0; n < 50; n++) await append(id, `${n}`);
      const { events, following } = await follow({
        after: 0,
        conversationId: id,
        manualRelease: true,
        unreleasedMax: 10,
      });
      await waitFor('the first ten', () => events.length === 10);
      // What would come if nothing held it would have come with these.
      const other = await follow({ after: 0, conversationId: id });
      await waitFor('another follower to be through', () => other.events.length === 50);
      expect(events).toHaveLength(10);
      for (let released = 0; released < 50; released += 10) {
        following.release(10);
        await waitFor('the next ten', () => events.length >= Math.min(50, released + 20));
      }
      expect(events.map(({ seq }) => seq)).toEqual(other.events.map(({ seq }) => seq));
      await following.stop();
      await other.following.stop();
    });

    test('nothing comes after a stop', async () => {
      const id = systemIds.conversationId();
      const stopped = await follow({ after: 'now', conversationId: id });
      await stopped.following.stop();
      const { events, following } = await follow({ after: 'now', conversationId: id });
      await append(id, 'for who is still there');
      await waitFor('the other to get it', () => events.length === 1);
      expect(stopped.events).toHaveLength(0);
      await following.stop();
    });

    test('a stretch of a conversation is read whole, or left early', async () => {
      const id = systemIds.conversationId();
      const seqs: number[] = [];
      for (let n = 0; n < 600; n++) seqs.push(await append(id, `${n}`));
      const read: number[] = [];
      const range = { conversationId: id, after: seqs[9] ?? 0, until: seqs[589] ?? 0 };
      for await (const event of readEvents(log, range)) read.push(event.seq);
      expect(read).toEqual(seqs.slice(10, 590));
      for await (const event of readEvents(log, range)) {
        expect(event.seq).toBe(seqs[10]);
        break;
      }
    });

    test('an erased event is gone, whoever asks; its sequence stays unused', async () => {
      const id = systemIds.conversationId();
      const seqs: number[] = [];
      for (const text of ['one', 'two', 'three']) seqs.push(await append(id, text));
      const [first = 0, second = 0, third = 0] = seqs;
      expect(await log.erase(second)).toBe(true);
      expect(await log.erase(second)).toBe(false);
      expect(await log.erase(third + 1_000)).toBe(false);
      expect(await log.at(second)).toBeNull();
      expect((await log.latest(id, 'message'))?.seq).toBe(third);
      const { events, following } = await follow({ after: 0, conversationId: id });
      await waitFor('what is left', () => events.length === 2);
      expect(events.map(({ seq }) => seq)).toEqual([first, third]);
      await following.stop();
      expect(await log.erase(third)).toBe(true);
      expect((await log.latest(id, 'message'))?.seq).toBe(first);
      expect(await append(id, 'four')).toBeGreaterThan(third);
    });

    test('a read ends where the log ends, also when more was asked for', async () => {
      const id = systemIds.conversationId();
      const [first, second] = [await append(id, 'one'), await append(id, 'two')];
      const read: number[] = [];
      for await (const { seq } of readEvents(log, {
        conversationId: id,
        after: 0,
        until: second + 9,
      })) {
        read.push(seq);
      }
      expect(read).toEqual([first, second]);
      const nothing = readEvents(log, { conversationId: id, after: second, until: second + 9 });
      expect(await nothing.next()).toEqual({ done: true, value: undefined });
    });

    // The last one: the others go by the epoch that the log began with.
    test('the epoch is renewed once, however many find that it must be, and the one before is remembered', async () => {
      const { epoch } = log;
      const renewed = await log.renewEpoch({ from: epoch });
      expect(renewed).not.toBe(epoch);
      expect(await log.renewEpoch({ from: epoch })).toBe(renewed);
      expect(await log.status()).toMatchObject({ epoch: renewed, previousEpoch: epoch });
      expect(log.epoch).toBe(renewed);
    });
  });
}
