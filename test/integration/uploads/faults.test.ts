import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { CHUNK_BYTES, UPLOADS_STREAM } from '../../../src/contracts/uploads/uploads.ts';
import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import { DOWNLOADS_PARALLEL_MAX } from '../../../src/http/uploads/download.ts';
import type { AttachmentStore } from '../../../src/ports/attachmentStore.ts';
import { startTestApi, type TestApi, type TestApiOptions } from '../../support/http/httpApi.ts';
import { BOUNDARY, field, file, MULTIPART, multipart, PNG, pdf } from '../../support/http/multipart.ts';
import { openTestAttachments, storeUpload, uploadBytes } from '../../support/http/uploads.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const PATH = '/api/chat/uploads';
const MB = 1_024 ** 2;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(options: TestApiOptions = {}): Promise<TestApi> {
  const api = await startTestApi(options);
  stops.push(api.stop);
  return api;
}

async function startOnNats(maxBytes?: number, options: TestApiOptions = {}) {
  const nats = await startTestNats();
  stops.push(() => nats.stop());
  const opened = await openTestAttachments(nats.url, maxBytes, 8_000);
  stops.push(opened.close);
  const api = await start({ attachments: opened.store, ...options });
  return { nats, api, ...opened };
}

async function newConversation(api: TestApi): Promise<string> {
  const body = { userId: 'alice', participantIds: ['bob'] };
  return (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
}

const own = (conversationId: string) => [field('conversationId', conversationId), field('userId', 'alice')];
const usage = async (store: AttachmentStore) => (await store.usage()).bytes;

/** Sends the head of an upload by hand. */
function begin(api: TestApi, headers = 'Transfer-Encoding: chunked'): Socket {
  const socket = connect(api.port, '127.0.0.1');
  socket.on('error', () => {});
  stops.push(async () => socket.destroy());
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=${BOUNDARY}\r\n`,
  );
  socket.write(`${headers}\r\n\r\n`);
  return socket;
}

function chunked(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** All of a form but its end. */
const unfinished = (bytes: Uint8Array) => multipart(file(bytes)).subarray(0, -30);

describe('an upload that does not go on', () => {
  it('is ended when no byte comes any more, told why, and nothing of it stays', async () => {
    const attachments = new MemoryAttachments();
    const api = await start({ attachments, uploads: { stallMsMax: 150 } });
    const socket = begin(api);
    socket.write(chunked(unfinished(pdf(300_000))));
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 408 .*connection: close.*"code":"request_timeout"/is);
    expect(await usage(attachments)).toBe(0);
    expect(api.uploads).toMatchObject([{ outcome: 'rejected', reason: 'request_timeout' }]);
  });

  it('is ended when it trickles for too long', async () => {
    const attachments = new MemoryAttachments();
    const api = await start({ attachments, uploads: { stallMsMax: 5_000, uploadMsMax: 300 } });
    const socket = begin(api);
    socket.write(chunked(unfinished(pdf(10_000))));
    const trickle = setInterval(() => socket.write(chunked(Buffer.from('x'))), 20);
    const answer = await text(socket).finally(() => clearInterval(trickle));
    expect(answer).toContain('408');
    expect(await usage(attachments)).toBe(0);
  });

  it('because its client went leaves nothing and is counted as aborted', async () => {
    const { api, store } = await startOnNats();
    const socket = begin(api);
    socket.write(chunked(unfinished(pdf(600_000))));
    await waitFor('chunks to be stored', async () => (await usage(store)) > 3 * CHUNK_BYTES);
    socket.destroy();
    await waitFor('the chunks to be dropped', async () => (await usage(store)) === 0);
    await waitFor('the count', () => api.uploads.length === 1);
    expect(api.uploads).toMatchObject([{ outcome: 'aborted', reason: 'client_gone' }]);
    const line = await waitFor('the line', () => api.logged.find(({ route }) => route === PATH));
    expect(line).toMatchObject({ method: 'POST', aborted: true });
  });
});

describe('an upload that is too long', () => {
  it('by its own word is refused before anything of it is read', async () => {
    const api = await start();
    const socket = begin(api, `Content-Length: ${20 * MB}`);
    await waitFor('the answer', () => socket.bytesRead > 0);
    expect(socket.bytesWritten).toBeLessThan(1_000);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 413 .*connection: close/is);
  });

  it('is refused while it is being sent, and its connection ends', async () => {
    const attachments = new MemoryAttachments();
    const api = await start({ attachments, uploads: { bytesMax: MB } });
    const socket = begin(api);
    socket.write(chunked(unfinished(pdf(10_000))));
    const more = chunked(Buffer.alloc(65_536, 'x'));
    const pour = () => {
      while (socket.writable && socket.write(more));
    };
    socket.on('drain', pour);
    // Who goes on writing to a connection that was closed is told so by an error, after the answer.
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    pour();
    await waitFor('the connection to end', () => socket.destroyed);
    expect(answer).toContain('413');
    expect(socket.bytesWritten).toBeLessThan(30 * MB);
    expect(await usage(attachments)).toBe(0);
  });

  it('for what it says: the rest of a lying Content-Length is no upload', async () => {
    const attachments = new MemoryAttachments();
    const api = await start({ attachments });
    const body = multipart(file(pdf(100_000)));
    const socket = begin(api, `Content-Length: ${body.length - 50_000}`);
    socket.write(body);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    expect(await usage(attachments)).toBe(0);
  });
});

describe('under load', () => {
  it('more uploads at a time than allowed are told to come back', async () => {
    const api = await start({ uploads: { parallelMax: 2 } });
    const sockets = [begin(api), begin(api)];
    for (const socket of sockets) socket.write(chunked(unfinished(PNG)));
    const conversationId = await newConversation(api);
    const send = () => api.call('POST', PATH, multipart(...own(conversationId), file(PNG)), MULTIPART);
    const refused = await waitFor('both to be under way', async () => {
      const answer = await send();
      return answer.status === 503 && answer;
    });
    expect(refused.body).toMatchObject({ code: 'overloaded', retryable: true, retryAfterMs: 1_000 });
    expect(refused.headers.get('retry-after')).toBe('1');
    const isRefusal = ({ requestId }: Record<string, unknown>) => requestId === refused.body.requestId;
    const line = await waitFor('the line', () => api.logged.find(isRefusal));
    expect(line).toMatchObject({ level: 40, statusCode: 503, reason: expect.stringMatching(/./) });
    for (const socket of sockets) socket.destroy();
    await waitFor('a place', async () => (await send()).status === 201);
  });

  it('more downloads at a time than allowed are told to come back, and do not wait', async () => {
    let looking = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    class SlowAttachments extends MemoryAttachments {
      override async find(id: string) {
        looking += 1;
        await released;
        return super.find(id);
      }
    }
    const api = await start({ attachments: new SlowAttachments() });
    const download = () => api.call('GET', `${PATH}/u_aaaaaaaaaaaaaaaaaaaaa?userId=alice`);
    const waiting = Array.from({ length: DOWNLOADS_PARALLEL_MAX }, download);
    await waitFor('all to be under way', () => looking === DOWNLOADS_PARALLEL_MAX);
    const refused = await download();
    expect([refused.status, refused.body.code]).toEqual([503, 'overloaded']);
    expect(refused.headers.get('retry-after')).toBe('1');
    release();
    for (const answer of waiting) expect((await answer).status).toBe(404);
    expect((await download()).status).toBe(404);
  });

  it('twenty uploads of 10 MB that the store does not take wait with their clients, in neither memory nor files', async () => {
    const { store, taken, release } = stalledStore();
    const api = await start({ attachments: store, uploads: { parallelMax: 20, bytesMax: 10 * MB } });
    const conversationId = await newConversation(api);
    const before = process.memoryUsage().rss;
    const form = multipart(...own(conversationId), file(pdf(10 * MB)));
    const sending = Array.from({ length: 20 }, () => {
      const socket = begin(api, `Connection: close\r\nContent-Length: ${form.length}`);
      socket.write(form);
      return { socket, answer: text(socket) };
    });
    await waitFor('all to have begun', () => taken().writes === 20);
    // Whatever goes on being taken would be taken within this time: on loopback that is hundreds of MB.
    const settled = await standstill(() => sending.reduce((sum, { socket }) => sum + received(socket), 0));
    expect(settled).toBeLessThan(20 * 6 * MB);
    expect(taken().bytes).toBeLessThan(20 * 256 * 1_024);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MB);
    const files = readdirSync('/proc/self/fd').map((fd) => linkOf(fd));
    expect(files.filter((path) => /upload|busboy|multipart/i.test(path) && /tmp/.test(path))).toEqual([]);
    release();
    for (const { answer } of sending) expect(await answer).toMatch(/^HTTP\/1.1 201 /);
    expect(api.uploads.map(({ outcome }) => outcome)).toEqual(new Array(20).fill('stored'));
  });
});

/** Bytes that have left this side's buffers. */
function received(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

async function standstill(look: () => number): Promise<number> {
  let last = -1;
  let same = 0;
  return waitFor('a standstill', () => {
    const now = look();
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 10 && now;
  });
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

/** A store that takes what it is given and makes no room, until it is released. */
function stalledStore() {
  const memory = new MemoryAttachments({ bytesMax: 512 * MB });
  const counted = { bytes: 0, writes: 0 };
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const store: AttachmentStore = {
    begin: (id) => {
      const writer = memory.begin(id);
      const write = async (bytes: Uint8Array) => {
        counted.bytes += bytes.length;
        counted.writes += 1;
        await released;
        await writer.write(bytes);
      };
      return { write, finish: (facts) => writer.finish(facts), abort: () => writer.abort() };
    },
    find: (id) => memory.find(id),
    remove: (id) => memory.remove(id),
    survey: (request) => memory.survey(request),
    usage: () => memory.usage(),
  };
  return { store, taken: () => counted, release: () => release() };
}

describe('when the store is in trouble', () => {
  it('a frozen one is answered as a log that is away, and uploads work again when it thaws', async () => {
    const { nats, api, store } = await startOnNats();
    const conversationId = await newConversation(api);
    nats.freeze();
    const sending = Array.from({ length: 4 }, () =>
      api.call('POST', PATH, multipart(...own(conversationId), file(pdf(5 * MB))), MULTIPART),
    );
    for (const { status, body } of await Promise.all(sending)) {
      expect([status, body.code]).toEqual([503, 'log_unavailable']);
    }
    nats.thaw();
    const answer = await waitFor('uploads to work again', async () => {
      const again = await api.call('POST', PATH, multipart(...own(conversationId), file(PNG)), MULTIPART);
      return again.status === 201 && again;
    });
    expect(await store.find(answer.body.attachment.id)).not.toBeNull();
  });

  it('a full one says so, clearly, and drops what it had taken', async () => {
    const { api, store } = await startOnNats(2 * MB);
    const conversationId = await newConversation(api);
    const send = (bytes: number) =>
      api.call('POST', PATH, multipart(...own(conversationId), file(pdf(bytes))), MULTIPART);
    expect((await send(MB)).status).toBe(201);
    const { status, body, headers } = await send(2 * MB);
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'overloaded', '60']);
    expect(body.detail).toContain('full');
    await waitFor('room again', async () => (await usage(store)) < 1.1 * MB);
    expect(api.uploads.at(-1)).toMatchObject({ outcome: 'rejected', reason: 'store_full' });
    expect((await send(MB / 2)).status).toBe(201);
  });

  it('a download of what is missing in part breaks off instead of ending short', async () => {
    const { api, store, connection } = await startOnNats();
    const conversationId = await newConversation(api);
    const { id } = await storeUpload(store, uploadBytes(8 * CHUNK_BYTES), { conversationId });
    const manager = await connection.jetstreamManager();
    await manager.streams.deleteMessage(UPLOADS_STREAM, 6);
    const url = `${api.url}${PATH}/${id}?userId=alice`;
    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow();
    const head = await fetch(url, { headers: { Range: `bytes=0-${CHUNK_BYTES}` } });
    expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([206, CHUNK_BYTES + 1]);
  });

  it('one that is away is told with a status', async () => {
    const { nats, api, store } = await startOnNats();
    const conversationId = await newConversation(api);
    const { id } = await storeUpload(store, uploadBytes(10), { conversationId });
    await nats.kill9();
    const answer = await api.call('GET', `${PATH}/${id}?userId=alice`);
    expect([answer.status, answer.body.code]).toEqual([503, 'log_unavailable']);
    const posted = await api.call('POST', '/api/chat/messages', {
      conversationId,
      userId: 'alice',
      content: 'look',
      attachments: [id],
    });
    expect([posted.status, posted.body.code]).toEqual([503, 'log_unavailable']);
    const plain = { conversationId, userId: 'alice', content: 'without' };
    expect((await api.call('POST', '/api/chat/messages', plain)).status).toBe(201);
  });
});
