import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { StreamMismatchError, StreamStorageError } from '../../../src/eventlog/jetstream/streamDefinition.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import {
  LogFullError,
  LogOverloadedError,
  LogUnavailableError,
  UnknownOutcomeError,
} from '../../../src/ports/eventLog.ts';
import { readEvents } from '../../../src/ports/readEvents.ts';
import { openTestLog } from '../../support/eventlog/jetStreamLog.ts';
import { openTestAttachments } from '../../support/http/uploads.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const request = (conversationId: string, text: string) => ({
  conversationId,
  category: 'message' as const,
  bytes: new TextEncoder().encode(text),
  idempotencyKey: systemIds.idempotencyKey(),
});

async function withServer(work: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await startTestNats();
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

test('appends to a frozen server are repeated until it wakes, stored once each and in order', () =>
  withServer(async (server) => {
    const { log, events, close } = await openTestLog(server.url);
    const id = systemIds.conversationId();
    server.freeze();
    const appending = Promise.all(Array.from({ length: 400 }, (_, n) => log.append(request(id, `${n}`))));
    await waitFor('the first attempts to time out', () =>
      events.some(({ type }) => type === 'publishTimedOut'),
    );
    server.thaw();
    const seqs = (await appending).map((result) => (result.outcome === 'stored' ? result.seq : 0));
    expect(seqs).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
    expect((await log.status()).lastSeq).toBe(400);
    await close();
  }));

test('past the deadline what was sent is of unknown outcome, what was not is certainly not stored', () =>
  withServer(async (server) => {
    // The first waits with the others until this turn is over; then it has the window.
    const publisher = { windowMax: 1, queueMax: 3, ackTimeoutMs: 100, deadlineMs: 400 };
    const { log, close } = await openTestLog(server.url, { publisher });
    const id = systemIds.conversationId();
    server.freeze();
    // In one turn, so that none has time left when the first gives the window up: it would be sent.
    const sent = log.append(request(id, 'sent'));
    const queued = [log.append(request(id, 'queued')), log.append(request(id, 'queued too'))];
    const refused = log.append(request(id, 'one too many'));
    // All are watched from here on: which of them gives up first is not decided by their order.
    await Promise.all([
      expect(sent).rejects.toBeInstanceOf(UnknownOutcomeError),
      ...queued.map((append) => expect(append).rejects.toBeInstanceOf(LogUnavailableError)),
      expect(refused).rejects.toBeInstanceOf(LogOverloadedError),
    ]);
    server.thaw();
    await waitFor('the log to answer again', () => log.status());
    await close();
  }));

test('a killed server loses nothing that was acknowledged, and followers go on without gap or repeat', () =>
  withServer(async (server) => {
    const { log, close } = await openTestLog(server.url, { circuit: { graceChecks: 100 } });
    const id = systemIds.conversationId();
    const seen: number[] = [];
    const following = await log.follow({ after: 0, onEvent: ({ seq }) => seen.push(seq) });
    const results: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) results.push(log.append(request(id, `${n}`)));
    await waitFor('some to be there', () => seen.length > 10);
    await server.kill9();
    for (let n = 200; n < 300; n++) results.push(log.append(request(id, `${n}`)));
    await server.restart();
    const stored = await Promise.all(results);
    expect(stored).toHaveLength(300);
    await waitFor('the follower to see all', () => seen.length >= 300);
    expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
    await following.stop();
    await close();
  }));

test('a follower whose consumer is deleted behind its back goes on', () =>
  withServer(async (server) => {
    const { log, events, close } = await openTestLog(server.url);
    const id = systemIds.conversationId();
    const seen: number[] = [];
    const following = await log.follow({ after: 0, onEvent: ({ seq }) => seen.push(seq) });
    await log.append(request(id, 'one'));
    await waitFor('the first event', () => seen.length === 1);
    const operator = await connect({ servers: server.url });
    const manager = await operator.jetstreamManager();
    for await (const consumer of manager.consumers.list('CHAT_EVENTS')) {
      await manager.consumers.delete('CHAT_EVENTS', consumer.name);
    }
    await log.append(request(id, 'two'));
    await waitFor('the second event', () => seen.length === 2);
    expect(seen).toEqual([1, 2]);
    expect(events.some(({ type }) => type === 'readerRestarted')).toBe(true);
    await operator.close();
    await following.stop();
    await close();
  }));

test('appends are bounded by what they hold, and what was given up or stored holds nothing any more', () =>
  withServer(async (server) => {
    const publisher = { queueBytesMax: 100_000, deadlineMs: 1_000 };
    const { log, close } = await openTestLog(server.url, { publisher });
    const id = systemIds.conversationId();
    const large = () => log.append(request(id, 'x'.repeat(40_000)));
    server.freeze();
    const sent = [large(), large()].map((append) =>
      expect(append).rejects.toBeInstanceOf(UnknownOutcomeError),
    );
    await expect(large()).rejects.toBeInstanceOf(LogOverloadedError);
    await Promise.all(sent);
    server.thaw();
    await waitFor('the log to take appends again', large);
    for (let n = 0; n < 5; n++) await large();
    await close();
  }));

test('what waits when the log turns out to be away is refused, and what comes after within milliseconds', () =>
  withServer(async (server) => {
    const { log, events, close } = await openTestLog(server.url, {
      publisher: { windowMax: 1, ackTimeoutMs: 4_000, deadlineMs: 4_000 },
    });
    const id = systemIds.conversationId();
    server.freeze();
    const sent = log.append(request(id, 'sent'));
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = [log.append(request(id, 'queued')), log.at(1), log.status()];
    const outcomes = Promise.all([
      expect(sent).rejects.toBeInstanceOf(UnknownOutcomeError),
      ...waiting.map((each) => expect(each).rejects.toBeInstanceOf(LogUnavailableError)),
    ]);
    await waitFor('the log to count as away', () => log.state === 'unavailable');
    const refusedAtMs = performance.now();
    await expect(log.append(request(id, 'later'))).rejects.toBeInstanceOf(LogUnavailableError);
    await expect(log.latest(id, 'message')).rejects.toBeInstanceOf(LogUnavailableError);
    // Without asking: a question would take its time-out, three seconds.
    expect(performance.now() - refusedAtMs).toBeLessThan(2_000);
    await outcomes;
    server.thaw();
    await waitFor('the log to be back without anybody asking', () => log.state === 'available');
    // Of what was refused nothing is there; what was sent is.
    expect((await log.status()).lastSeq).toBe(1);
    expect(events.some((event) => event.type === 'logState' && event.to === 'unavailable')).toBe(true);
    await close();
  }));

test('appends during a restart within the grace are all stored', () =>
  withServer(async (server) => {
    const { log, events, close } = await openTestLog(server.url, { circuit: { graceChecks: 100 } });
    const id = systemIds.conversationId();
    const appending = server.restart().then(() => {});
    const results: Promise<unknown>[] = [];
    await waitFor('the connection to be lost', () => {
      results.push(log.append(request(id, `${results.length}`)));
      return log.state === 'suspect';
    });
    await Promise.all([appending, ...results]);
    expect(events.some((event) => event.type === 'logState' && event.to === 'unavailable')).toBe(false);
    await close();
  }));

test('a full stream refuses, and loses nothing it has', () =>
  withServer(async (server) => {
    const { log, close } = await openTestLog(server.url, { maxBytes: 1_024 ** 2 });
    const id = systemIds.conversationId();
    let stored = 0;
    const fill = async () => {
      for (;;) {
        await log.append(request(id, 'x'.repeat(50_000)));
        stored += 1;
      }
    };
    await expect(fill()).rejects.toThrow(LogFullError);
    await expect(log.append(request(id, 'x'.repeat(50_000)))).rejects.toThrow(
      /STREAM_MAX_BYTES: raise it and restart/,
    );
    expect(log.state).toBe('available');
    expect(stored).toBeGreaterThan(10);
    expect((await log.status()).lastSeq).toBe(stored);
    expect(await log.at(1)).not.toBeNull();
    await close();
    const larger = await openTestLog(server.url, { maxBytes: 2 * 1_024 ** 2 });
    expect(await larger.log.append(request(id, 'there is room'))).toMatchObject({ seq: stored + 1 });
    await larger.close();
  }));

test('the stream is made once, keeps its epoch, and takes over a new size', () =>
  withServer(async (server) => {
    const first = await openTestLog(server.url);
    await first.log.append(request(systemIds.conversationId(), 'kept'));
    const second = await openTestLog(server.url, { maxBytes: 300 * 1_024 ** 2 });
    expect(second.log.epoch).toBe(first.log.epoch);
    expect(await second.log.status()).toMatchObject({ lastSeq: 1, bytesMax: 300 * 1_024 ** 2 });
    await first.close();
    await second.close();
  }));

test('a stream that differs in what cannot be changed is left alone, and the difference named', () =>
  withServer(async (server) => {
    const operator = await connect({ servers: server.url });
    const manager = await operator.jetstreamManager();
    await manager.streams.add({ name: 'CHAT_EVENTS', subjects: ['chat.events.*.*.*'], max_msgs: 7 });
    const opening = openTestLog(server.url);
    await expect(opening).rejects.toThrow(StreamMismatchError);
    await expect(opening).rejects.toThrow(/discard is "old", needed "new"/);
    expect((await manager.streams.info('CHAT_EVENTS')).config.max_msgs).toBe(7);
    await operator.close();
  }));

test('a stream that the server has no room for says which setting to lower, and what is there stays', async () => {
  const server = await startTestNats({ fileStoreBytesMax: 64 * 1_024 ** 2 });
  try {
    const tooLarge = openTestLog(server.url, { maxBytes: 65 * 1_024 ** 2 });
    await expect(tooLarge).rejects.toThrow(StreamStorageError);
    await expect(tooLarge).rejects.toThrow(/CHAT_EVENTS with 68157440 bytes.*Lower STREAM_MAX_BYTES/);
    const opened = await openTestLog(server.url, { maxBytes: 48 * 1_024 ** 2 });
    await opened.log.append(request(systemIds.conversationId(), 'kept'));
    await expect(openTestLog(server.url, { maxBytes: 65 * 1_024 ** 2 })).rejects.toThrow(StreamStorageError);
    const uploads = openTestAttachments(server.url, 32 * 1_024 ** 2);
    await expect(uploads).rejects.toThrow(/OBJ_chat-uploads with 33554432 bytes.*Lower UPLOADS_MAX_BYTES/);
    expect(await opened.log.status()).toMatchObject({ lastSeq: 1, bytesMax: 48 * 1_024 ** 2 });
    await opened.close();
  } finally {
    await server.stop();
  }
});

test('a read of a frozen server is given up', () =>
  withServer(async (server) => {
    const { log, close } = await openTestLog(server.url);
    const id = systemIds.conversationId();
    const result = await log.append(request(id, 'there'));
    const until = result.outcome === 'stored' ? result.seq : 0;
    server.freeze();
    const reading = readEvents(log, { conversationId: id, after: 0, until, timeoutMs: 200 });
    await expect(reading.next()).rejects.toBeInstanceOf(LogUnavailableError);
    server.thaw();
    await waitFor('the log to answer again', () => log.status());
    await close();
  }));

test('a server that comes back without the tail takes nothing under the old epoch', () =>
  withServer(async (server) => {
    const { log, events, close } = await openTestLog(server.url);
    const id = systemIds.conversationId();
    const [store, copy] = [join(server.dataDir, 'nats'), join(server.dataDir, 'copy')];
    await log.append(request(id, 'kept'));
    await server.kill9();
    cpSync(store, copy, { recursive: true });
    await server.restart();
    const { epoch } = log;
    for (const text of ['lost', 'lost too']) await log.append(request(id, text));
    await server.kill9();
    // Waiting while the server is away, as clients' messages do.
    const waiting = log.append(request(id, 'since'));
    rmSync(store, { recursive: true });
    cpSync(copy, store, { recursive: true });
    await server.restart();
    expect(await waiting).toMatchObject({ outcome: 'stored', seq: 2 });
    // The new epoch was given before that was appended, by this process alone: nobody else watches this log.
    expect(events.map(({ type }) => type)).toContain('epochChanged');
    expect(log.epoch).not.toBe(epoch);
    expect(await log.status()).toMatchObject({ previousEpoch: epoch, logId: epoch, lastSeq: 2 });
    await close();
  }));
