import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { BODY_MS_SETTING, readBody } from '../../../src/http/request/body.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../../src/http/server/server.ts';
import { startTestApi } from '../../support/http/httpApi.ts';
import { answersIn, exchange, readAll } from '../../support/http/rawHttp.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** Connections of the API that take their time: each is closed at a deadline, which is short here. */
const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop({ deadlineMs: 0 });
});

async function serve(app: RequestListener, options: Partial<HttpServerOptions>): Promise<HttpServer> {
  const server = await startHttpServer({ app, port: 0, host: '127.0.0.1', checkEveryMs: 50, ...options });
  servers.push(server);
  return server;
}

const answerAll: RequestListener = (_req, res) => res.end('ok');
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('a connection on which nothing is asked is closed, as is one on which a request never ends', async () => {
  const { port } = await serve(answerAll, { headersMsMax: 200 });
  for (const begun of ['', 'GET / HT', 'GET / HTTP/1.1\r\nHost: a\r\n']) {
    const [answer] = answersIn(await exchange(port, begun));
    expect(answer?.status).toBe(408);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'request_timeout', retryable: true });
    expect(answer?.headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
  }
});

test('headers that drip in are cut off at the same deadline: a byte now and then does not move it', async () => {
  const { port } = await serve(answerAll, { headersMsMax: 300 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nX: ');
  const drip = setInterval(() => socket.write('a'), 20);
  expect(answersIn(await readAll(socket))[0]?.status).toBe(408);
  clearInterval(drip);
});

test('a connection that is kept alive is closed once it has been idle for long enough, and not before', async () => {
  const { port } = await serve(answerAll, { idleMsMax: 2_000 });
  const socket = connect(port, '127.0.0.1');
  const read = readAll(socket);
  for (let n = 1; n <= 3; n++) {
    const before = socket.bytesRead;
    socket.write(REQUEST);
    await waitFor('the answer', () => socket.bytesRead > before);
  }
  expect(answersIn(await read).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('a client that does not read its answer is cut off; what waited for it is let go', async () => {
  let closed = false;
  const app: RequestListener = (_req, res) => {
    res.once('close', () => {
      closed = true;
    });
    res.end(Buffer.alloc(64 * 1_024 ** 2));
  };
  const { port } = await serve(app, { stalledMsMax: 300 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(REQUEST);
  await waitFor('the connection to be given up', () => closed);
  socket.destroy();
});

test('connections beyond the limit are closed at once; those within it are served', async () => {
  const { port } = await serve(answerAll, { connectionsMax: 2 });
  const within = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const socket of within) {
    socket.write(REQUEST);
    await waitFor('the answer', () => socket.bytesRead > 0);
  }
  expect(await exchange(port, REQUEST)).toBe('');
  within[0]?.destroy();
  await waitFor('room for another', async () => {
    const raw = await exchange(port, REQUEST.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    return raw.includes('200 OK');
  });
  within[1]?.destroy();
});

test('a body that does not come, or drips in, is answered at its deadline and the connection closed; nothing is stored', async () => {
  const api = await startTestApi({ shell: { bodyMsMax: 300 } });
  const head =
    'POST /api/chat/conversations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n';
  for (const drips of [false, true]) {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`${head}{"userId":"`);
    const drip = drips ? setInterval(() => socket.write('a'), 20) : undefined;
    const [answer] = answersIn(await readAll(socket));
    clearInterval(drip);
    expect(answer?.status).toBe(408);
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({
      code: 'request_timeout',
      detail: 'The body did not come within 300 ms.',
      retryable: true,
    });
    expect(answer?.headers).toMatchObject({ connection: 'close' });
  }
  expect(await api.eventsInLog()).toBe(0);
  // One that comes in time is not looked at again.
  expect((await api.call('POST', '/api/chat/conversations', { userId: 'alice' })).status).toBe(201);
  await api.stop();
});

test('a body that came in time has no deadline any more, however long its answer takes', async () => {
  const app = express().set(BODY_MS_SETTING, 300);
  let read = false;
  let answer = () => {};
  app.post('/slow', async (req, res) => {
    answer = () => res.end();
    await readBody(req, z.unknown());
    read = true;
  });
  app.post('/late', (req, res) => readBody(req, z.unknown()).catch(() => res.status(408).end()));
  const { port } = await serve(app, {});
  const json = 'Host: a\r\nContent-Type: application/json\r\nContent-Length: 2';
  const slow = connect(port, '127.0.0.1');
  const slowRead = readAll(slow);
  slow.write(`POST /slow HTTP/1.1\r\n${json}\r\n\r\n{}`);
  await waitFor('the body to be read', () => read);
  // Whose deadline is later: when it has passed, so has that of the other.
  const [late] = answersIn(await exchange(port, `POST /late HTTP/1.1\r\n${json}\r\n\r\n{`));
  expect([late?.status, late?.headers.connection]).toEqual([408, 'close']);
  answer();
  await waitFor('the answer', () => slow.bytesRead > 0);
  slow.end();
  const [whole] = answersIn(await slowRead);
  expect([whole?.status, whole?.headers.connection]).toEqual([200, 'keep-alive']);
});
