import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BODY_BYTES_MAX, readBody } from '../../../src/http/request/body.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../../src/http/server/server.ts';
import { startTestApi } from '../../support/http/httpApi.ts';
import { answersIn } from '../../support/http/rawHttp.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function serve(app: RequestListener, options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await startHttpServer({ app, port: 0, host: '127.0.0.1', ...options });
  stops.push(() => server.stop({ deadlineMs: 0 }));
  return server;
}

/** Sends bytes as they are and reads until the other side closes. */
async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request, 'latin1');
  return text(socket);
}

describe('the port', () => {
  it('that is taken is named in one line, with the setting and what to do', async () => {
    const { port } = await serve(() => {});
    const second = startHttpServer({ app: () => {}, port, host: '127.0.0.1', portSetting: 'PORT' });
    await expect(second).rejects.toThrow(
      `Port ${port} (PORT) is taken: end what listens there or set PORT to another one (0 takes any that is free).`,
    );
  });
});

describe('an Express app', () => {
  it('is given requests and responses that are its own already: changing their prototypes would cost', async () => {
    const { request, response } = express();
    const seen: boolean[] = [];
    const listen: RequestListener = (req, res) => {
      seen.push(Object.getPrototypeOf(req) === app.request, Object.getPrototypeOf(res) === app.response);
      res.end();
    };
    const app = Object.assign(listen, { request, response });
    const { port } = await serve(app);
    await fetch(`http://127.0.0.1:${port}/`);
    expect(seen).toEqual([true, true]);
  });

  it('finds on them what it puts there', async () => {
    const app = express();
    app.get('/:name', (req, res) => void res.json([req.app === app, res.app === app, req.params.name]));
    const { port } = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/here`);
    expect(await answer.json()).toEqual([true, true, 'here']);
  });
});

describe('what is no request', () => {
  const lyingLength = 'GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxyz\r\n\r\n';
  const twoLengths = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx';
  const longHeader = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  it.each([
    ['no HTTP', 400, 'invalid_request', 'hello\r\n\r\n'],
    ['a lying Content-Length', 400, 'invalid_request', lyingLength],
    ['two lengths', 400, 'invalid_request', twoLengths],
    ['too long headers', 413, 'payload_too_large', longHeader],
  ])('%s: %d %s, and the connection is closed', async (_what, status, code, request) => {
    const { port } = await serve((_req, res) => res.end());
    const answer = await exchange(port, request);
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(answer).toContain(`"code":"${code}"`);
  });

  it('X-User-Id twice: 400, for nobody knows which counts', async () => {
    const api = await startTestApi();
    stops.push(api.stop);
    const request = 'GET /api/chat/conversations HTTP/1.1\r\nHost: a\r\nX-User-Id: a\r\nX-User-Id: b\r\n';
    expect(await exchange(api.port, `${request}Connection: close\r\n\r\n`)).toContain('must be given once');
  });

  it('slow headers and slow bodies are cut off at a deadline', async () => {
    const api = (req: Parameters<RequestListener>[0]) => void req.resume();
    const { port } = await serve(api, { headersMsMax: 100, requestMsMax: 200 });
    const headers = exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n');
    const body = exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx');
    expect(await headers).toContain('408');
    expect(await body).toContain('408');
  });

  it('a body that its client gives up is an error for whoever reads it, not a wait without end', async () => {
    let caught: unknown = null;
    let reading = false;
    const app = express();
    app.post('/', (req) => {
      readBody(req, z.unknown()).catch((error: unknown) => {
        caught = error;
      });
      reading = true;
    });
    const { port } = await serve(app);
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx');
    await waitFor('the body to be read', () => reading);
    socket.destroy();
    await waitFor('the reader to be told', () => caught);
    expect(caught).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('ended before'),
    });
  });

  it('is told so behind the answers to all that was asked before it, however long those take', async () => {
    const answers: (() => void)[] = [];
    const { port } = await serve((req, res) => {
      answers.push(() => res.end(req.url));
    });
    const socket = connect(port, '127.0.0.1');
    const read = text(socket);
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    socket.write(`${get('/first')}${get('/second')}rubbish\r\n\r\n`);
    const [first, second] = await waitFor('both to be under way', () => answers.length === 2 && answers);
    first?.();
    await waitFor('the first answer', () => socket.bytesRead > 0);
    second?.();
    expect(answersIn(await read)).toMatchObject([
      { status: 200, body: '/first' },
      { status: 200, body: '/second' },
      { status: 400, headers: { connection: 'close' } },
    ]);
  });

  it('in the body of a request is told so behind the answers to those before it', async () => {
    let answer: (() => void) | null = null;
    const { port } = await serve((req, res) => {
      if (req.method === 'GET') answer = () => res.end('done');
      else req.resume();
    });
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n';
    const read = exchange(port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${post}`);
    (await waitFor('the first to be under way', () => answer))();
    expect(answersIn(await read).map(({ status }) => status)).toEqual([200, 400]);
  });

  it('does not cut off a long answer that is made but not sent yet', async () => {
    const bytes = 16 * 1_024 ** 2;
    const { port } = await serve((_req, res) => {
      res.setHeader('Content-Length', bytes).end(Buffer.alloc(bytes, 'x'));
    });
    const answers = answersIn(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n'));
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers[0]?.body.length).toBe(bytes);
  });

  it('a request whose client went before its body was read is an error at once', async () => {
    let caught: unknown = null;
    const app = express();
    app.post('/', async (req) => {
      const closed = once(req, 'close');
      req.destroy();
      await closed;
      await readBody(req, z.unknown()).catch((error: unknown) => {
        caught = error;
      });
    });
    const { port } = await serve(app);
    const read = exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx');
    await waitFor('the reader to be told', () => caught);
    expect(caught).toMatchObject({ code: 'invalid_request' });
    expect(await read).toBe('');
  });

  it('a body that is too long is read to its end, if that is not too far: the next request is answered', async () => {
    const api = await startTestApi();
    stops.push(api.stop);
    const bytes = 2 * 1_024 ** 2;
    const head = `POST /api/chat/messages HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;
    const next = 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const answers = answersIn(await exchange(api.port, head + ' '.repeat(bytes) + next));
    expect(answers.map(({ status }) => status)).toEqual([413, 200]);
  });

  it('a body without an end is answered with 413 as soon as more of it is there than is thrown away', async () => {
    const api = await startTestApi();
    stops.push(api.stop);
    const socket = connect(api.port, '127.0.0.1');
    const answer = text(socket);
    socket.write(BODY_BEGUN);
    // One byte too many, and no more: who still writes to a connection that is closed loses the answer.
    for (let bytes = 0; bytes < THROWN_AWAY_BYTES_MAX; bytes += CHUNK_BYTES)
      socket.write(chunkOf(CHUNK_BYTES));
    socket.write(chunkOf(1));
    expect(answersIn(await answer)).toMatchObject([{ status: 413, headers: { connection: 'close' } }]);
  });

  it('an endless body is cut off', async () => {
    const api = await startTestApi();
    stops.push(api.stop);
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(BODY_BEGUN);
    socket.resume();
    pour(socket);
    await waitFor('the connection to be gone', () => socket.destroyed);
    expect(socket.bytesRead + socket.bytesWritten).toBeLessThan(4 * THROWN_AWAY_BYTES_MAX);
  });
});

describe('stopping', () => {
  it('lets requests under way finish, closes idle connections at once, and takes no new ones', async () => {
    let finish: (() => void) | null = null;
    const server = await startHttpServer({
      port: 0,
      host: '127.0.0.1',
      app: (req, res) => {
        if (req.url === '/slow') finish = () => res.end('done');
        else res.end();
      },
    });
    const idle = connect(server.port, '127.0.0.1');
    idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const idleAnswer = text(idle);
    await waitFor('the idle connection to have its answer', () => idle.bytesRead > 0);
    const slow = exchange(server.port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    const finishSlow = await waitFor('the slow request to be under way', () => finish);
    const stopped = server.stop({ deadlineMs: 60_000 });
    await idleAnswer;
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
    finishSlow();
    expect(await slow).toMatch(/Connection: close.*done/s);
    expect(await stopped).toBe(0);
  });

  it('tells who asks again on a connection with an answer under way that this is the last', async () => {
    const finish: (() => void)[] = [];
    const server = await serve((req, res) => {
      // The first has begun: its headers say nothing of the end.
      if (req.url === '/first') res.setHeader('Content-Length', 4).write('do');
      finish.push(() => res.end('ne'));
    });
    const socket = connect(server.port, '127.0.0.1');
    const read = text(socket);
    socket.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor('the answer to begin', () => socket.bytesRead > 0);
    const stopped = server.stop({ deadlineMs: 60_000 });
    socket.write('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor('the second request', () => finish.length === 2);
    for (const end of finish) end();
    expect(answersIn(await read)).toMatchObject([
      { body: 'done', headers: { connection: 'keep-alive' } },
      { body: 'ne', headers: { connection: 'close' } },
    ]);
    expect(await stopped).toBe(0);
  });

  it('cuts off at the deadline what does not finish, and says how much', async () => {
    let begun = false;
    const server = await serve(() => {
      begun = true;
    });
    const hanging = exchange(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').catch(() => '');
    await waitFor('the request to be under way', () => begun);
    expect(await server.stop({ deadlineMs: 50 })).toBe(1);
    expect(await hanging).toBe('');
  });
});

const BODY_BEGUN =
  'POST /api/chat/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Of a body that is too long this much is read before its connection is closed. */
const THROWN_AWAY_BYTES_MAX = 8 * BODY_BYTES_MAX;
const CHUNK_BYTES = 65_536;

function chunkOf(bytes: number): Buffer {
  return Buffer.concat([
    Buffer.from(`${bytes.toString(16)}\r\n`),
    Buffer.alloc(bytes, 0x20),
    Buffer.from('\r\n'),
  ]);
}

/** Sends chunks for as long as somebody takes them. */
function pour(socket: Socket): void {
  const chunk = chunkOf(CHUNK_BYTES);
  const more = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}
