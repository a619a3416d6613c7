import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import {
  field,
  file,
  GIF_SCRIPT,
  MULTIPART,
  multipart,
  type Part,
  PNG,
  pdf,
  zip,
} from '../../support/http/multipart.ts';
import { openTestAttachments } from '../../support/http/uploads.ts';
import { startTestNats } from '../../support/servers/nats.ts';
import type { TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const PATH = '/api/chat/uploads';
const BYTES_MAX = 1_024 ** 2;
const OCTETS = 'application/octet-stream';
let nats: TestServer;
let opened: Awaited<ReturnType<typeof openTestAttachments>>;
let api: TestApi;
let conversationId: string;

beforeAll(async () => {
  nats = await startTestNats();
  opened = await openTestAttachments(nats.url);
  api = await startTestApi({ attachments: opened.store, uploads: { bytesMax: BYTES_MAX } });
});
afterAll(async () => {
  await api.stop();
  await opened.close();
  await nats.stop();
});
beforeEach(async () => {
  conversationId = await newConversation();
  api.uploads.length = 0;
});

async function newConversation(body: object = { userId: 'alice', participantIds: ['bob'] }) {
  return (await api.call('POST', '/api/chat/conversations', body)).body.conversation.id;
}

const own = (userId = 'alice') => [field('conversationId', conversationId), field('userId', userId)];
const send = (...parts: Part[]): Promise<Answer> => api.call('POST', PATH, multipart(...parts), MULTIPART);
const upload = (part: Part) => send(...own(), part);
const bucketBytes = async () => (await opened.store.usage()).bytes;

async function get(
  id: string,
  headers: Record<string, string> = {},
  method = 'GET',
  query = '?userId=alice',
) {
  const response = await fetch(`${api.url}${PATH}/${id}${query}`, { method, headers });
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

describe('an upload', () => {
  it('is answered with what the store knows of it, and comes back byte for byte, safe to open', async () => {
    const bytes = pdf(700_000);
    const { status, headers, body } = await upload(file(bytes, 'Bericht Ä 100%.pdf', 'application/pdf'));
    expect([status, headers.get('location')]).toEqual([201, `${PATH}/${body.attachment.id}`]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(body.attachment).toMatchObject({ mediaType: 'application/pdf', bytes: 700_000, sha256 });
    expect(body.attachment.id).toMatch(/^u_[A-Za-z0-9_-]{21}$/);
    const download = await get(body.attachment.id);
    expect(download.bytes.equals(bytes)).toBe(true);
    expect(Object.fromEntries(download.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '700000',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'accept-ranges': 'bytes',
      etag: `"${sha256}"`,
    });
    expect(download.headers.get('cache-control')).toBe('private, no-cache, no-transform');
    expect(download.headers.get('content-disposition')).toMatch(
      /^attachment; filename="Bericht _ 100_\.pdf"; filename\*=UTF-8''Bericht%20%C3%84%20100%25\.pdf$/,
    );
    expect(api.uploads).toMatchObject([{ outcome: 'stored', bytes: 700_000 }]);
  });

  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  it.each(orders)('may have its parts in any order: %d %d %d', async (...order) => {
    const parts = [...own(), file(pdf(200_000))];
    const { status, body } = await send(...order.flatMap((index) => parts[index] ?? []));
    expect([status, body.attachment?.bytes]).toEqual([201, 200_000]);
  });

  it('may name its user in the header', async () => {
    const parts = multipart(file(PNG), field('conversationId', conversationId));
    const { status } = await api.call('POST', PATH, parts, { ...MULTIPART, 'X-User-Id': 'bob' });
    expect(status).toBe(201);
    const other = multipart(file(PNG), ...own('alice'));
    const contradiction = await api.call('POST', PATH, other, { ...MULTIPART, 'X-User-Id': 'bob' });
    expect([contradiction.status, contradiction.body.errors[0].path]).toEqual([400, 'userId']);
  });

  it('of exactly the limit is taken, of a byte more is not, and nothing of it stays', async () => {
    const before = await bucketBytes();
    expect((await upload(file(pdf(BYTES_MAX)))).status).toBe(201);
    const after = await bucketBytes();
    expect(after - before).toBeGreaterThanOrEqual(BYTES_MAX);
    expect(await upload(file(pdf(BYTES_MAX + 1)))).toMatchObject({
      status: 413,
      body: { code: 'payload_too_large', requestId: expect.any(String) },
    });
    await waitFor('the chunks to be dropped', async () => (await bucketBytes()) === after);
    expect(api.uploads.at(-1)).toMatchObject({ outcome: 'rejected', reason: 'payload_too_large' });
  });

  it('by somebody who may not see the conversation answers as for a conversation that is missing', async () => {
    const before = await bucketBytes();
    const missing = await send(
      field('userId', 'mallory'),
      file(pdf(200_000)),
      field('conversationId', 'c_aaaaaaaaaaaaaaaaaaaaa'),
    );
    for (const parts of [
      [...own('mallory'), file(pdf(200_000))],
      [file(pdf(200_000)), ...own('mallory')],
    ]) {
      const { status, body } = await send(...parts);
      expect(status).toBe(404);
      expect({ ...body, requestId: '' }).toEqual({ ...missing.body, requestId: '' });
    }
    await waitFor('the chunks to be dropped', async () => (await bucketBytes()) === before);
  });
});

describe('the type of a file', () => {
  const wav = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(40)]);
  const webp = Buffer.concat([Buffer.from('RIFF\x24\0\0\0WEBPVP8 ', 'latin1'), Buffer.alloc(40)]);
  const jpeg = Buffer.concat([Buffer.from('ffd8ffe000104a464946000101', 'hex'), Buffer.alloc(40)]);
  const mp4 = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'), Buffer.alloc(40)]);
  const avif = Buffer.concat([Buffer.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', 'latin1'), Buffer.alloc(40)]);
  const ogg = Buffer.concat([
    Buffer.from('OggS\0\x02', 'latin1'),
    Buffer.alloc(22),
    Buffer.from('OpusHead'),
    Buffer.alloc(40),
  ]);
  const tagged = (size: string, rest: string) =>
    Buffer.concat([
      Buffer.from(`494433040000${size}`, 'hex'),
      Buffer.alloc(2_047),
      Buffer.from(rest, 'hex'),
      Buffer.alloc(500),
    ]);
  const mp3 = tagged('00000f7f', 'fffb9000');
  const longTag = tagged('00007f7f', '00');
  it.each([
    ['png', PNG, 'image/png', 'image/png'],
    ['png that declares nothing', PNG, OCTETS, 'image/png'],
    ['jpeg under its other name', jpeg, 'image/jpg', 'image/jpeg'],
    ['webp', webp, 'image/webp', 'image/webp'],
    ['avif', avif, 'image/avif', 'image/avif'],
    ['wav under its other name', wav, 'audio/x-wav', 'audio/wav'],
    ['opus', ogg, 'audio/ogg', 'audio/ogg'],
    ['mp3 with a tag', mp3, 'audio/mpeg', 'audio/mpeg'],
    ['mp3 with a tag longer than what is looked at', longTag, 'audio/mp3', 'audio/mpeg'],
    ['mp4', mp4, 'video/mp4', 'video/mp4'],
    ['zip', zip('a.txt', 'hello'), 'application/zip', 'application/zip'],
    ['text', 'Grüße\r\n\tüberall 😀', 'text/plain', 'text/plain'],
    ['text that declares nothing', 'hello', OCTETS, 'text/plain'],
    ['a GIF that is a script too, which is a GIF', GIF_SCRIPT, 'image/gif', 'image/gif'],
    ['a PDF declared as text, as one that declares nothing is', pdf(100), 'text/plain', 'application/pdf'],
    ['HTML declared as plain text', '<html><script>alert(1)</script>', 'text/plain', 'text/plain'],
    ['XML declared as plain text', '<?xml version="1.0"?><svg onload="x()"/>', 'text/plain', 'text/plain'],
    ['HTML declared as such', '<!doctype html><script>alert(1)</script>', 'text/html', 'text/plain'],
    ['HTML that declares nothing', '\ufeff \n<html>', OCTETS, 'text/plain'],
    ['a script', 'alert(1)', 'text/javascript', 'text/plain'],
    ['a style sheet', 'body { display: none }', 'text/css', 'text/plain'],
    ['SVG declared as XML', '<svg onload="x()"/>', 'application/xml', 'text/plain'],
    ['TypeScript, which some take for a film', 'const a = 1;', 'video/mp2t', 'text/plain'],
    ['Markdown', '# Tea', 'text/markdown', 'text/markdown'],
    ['CSV', 'a,b\r\n1,2', 'text/csv', 'text/csv'],
    ['CSV as Windows calls it', 'a,b\r\n1,2', 'application/vnd.ms-excel', 'text/csv'],
    ['JSON', '{"a":1}', 'application/json', 'application/json'],
    ['text with form feeds', 'one\f\ntwo', 'text/plain', 'text/plain'],
    ['text that begins as a program', 'MZ is a region', OCTETS, 'text/plain'],
  ])('%s: taken', async (_what, bytes, declared, mediaType) => {
    const { status, body } = await upload(file(bytes, 'a', declared));
    expect(body).toMatchObject({ attachment: { mediaType } });
    expect(status).toBe(201);
    const download = await get(body.attachment.id);
    const isText = /^text\/|json$/.test(mediaType);
    expect(download.headers.get('content-type')).toBe(mediaType + (isText ? '; charset=utf-8' : ''));
    expect(download.headers.get('content-disposition')).toMatch(/^attachment; /);
    expect(download.bytes.equals(Buffer.from(bytes))).toBe(true);
  });

  it.each([
    ['least significant byte first', Buffer.from('\ufeffGrüße 😀\r\n', 'utf16le')],
    ['most significant byte first', Buffer.from('\ufeffGrüße 😀\r\n', 'utf16le').swap16()],
  ])('UTF-16, %s: text, and its download says so', async (_what, bytes) => {
    const { body } = await upload(file(bytes, 'a.txt', OCTETS));
    expect(body).toMatchObject({ attachment: { mediaType: 'text/plain' } });
    const download = await get(body.attachment.id);
    expect(download.headers.get('content-type')).toBe('text/plain; charset=utf-16');
    expect(download.bytes.equals(bytes)).toBe(true);
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';
  it.each([
    ['SVG', svg, 'image/svg+xml'],
    ['SVG declared as a PNG', svg, 'image/png'],
    ['a program', Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), OCTETS],
    ['a Windows program declared as an image', Buffer.from('MZ\x90\0\x03\0\0\0', 'latin1'), 'image/png'],
    ['a PNG declared as a PDF', PNG, 'application/pdf'],
    ['text with a NUL', 'hello\0world', 'text/plain'],
    ['text with an escape', 'hello\x1b[31m', 'text/plain'],
    ['what is no UTF-8', Buffer.from([0x68, 0xff, 0xfe, 0x69, 0x20]), OCTETS],
    ['text that ends within a character', Buffer.from('hellö').subarray(0, -1), 'text/plain'],
    [
      'text with a NUL far behind',
      Buffer.concat([Buffer.alloc(500_000, 'a'), Buffer.alloc(1)]),
      'text/plain',
    ],
    ['UTF-16 with half a character', Buffer.from('\ufeffab\ud800c', 'utf16le'), 'text/plain'],
    ['UTF-16 without a byte order mark', Buffer.from('hello', 'utf16le'), 'text/plain'],
    ['a Java archive', zip('META-INF/MANIFEST.MF', 'x'), 'application/zip'],
  ])('%s: 415, and nothing of it stays', async (_what, bytes, declared) => {
    const before = await bucketBytes();
    const { status, body } = await upload(file(bytes, 'a', declared));
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    await waitFor('the chunks to be dropped', async () => (await bucketBytes()) === before);
    expect(api.uploads).toMatchObject([{ outcome: 'rejected', reason: 'unsupported_media_type' }]);
  });
});

describe('the name of a file', () => {
  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..\\\\..\\\\boot.ini', 'boot.ini'],
    ['C:\\\\Users\\\\me\\\\x.png', 'x.png'],
    ['..', 'file'],
    ['/', 'file'],
    ['', 'file'],
    ['ok 😀 é.png', 'ok 😀 é.png'],
    ['x'.repeat(255), 'x'.repeat(255)],
  ])('%s is kept as %s', async (named, kept) => {
    const { status, body } = await upload(file(PNG, named, OCTETS));
    expect([status, body.attachment?.name]).toEqual([201, kept]);
    const disposition = (await get(body.attachment.id)).headers.get('content-disposition') ?? '';
    expect(disposition).not.toMatch(/\.\.|\\|\//);
  });

  it('cannot end the header that tells it, whatever stands in it', async () => {
    const { body } = await upload(file(PNG, 'say \\"hi\\" (it\'s *new*).png', OCTETS));
    expect(body.attachment.name).toBe('say "hi" (it\'s *new*).png');
    expect((await get(body.attachment.id)).headers.get('content-disposition')).toBe(
      'attachment; filename="say _hi_ (it\'s *new*).png"; ' +
        "filename*=UTF-8''say%20%22hi%22%20%28it%27s%20%2Anew%2A%29.png",
    );
  });

  it.each([
    ['a NUL', 'a\0.png'],
    ['a control character', 'a\x07.png'],
    ['an encoded line end', 'x"; filename*=UTF-8\'\'a%0d%0ab.png; y="'],
    ['a character that turns the direction', 'a\u202egpj.exe'],
    ['one that turns it for a part', 'a\u2067gpj.exe'],
    ['256 characters', 'x'.repeat(256)],
  ])('with %s: 400', async (_what, named) => {
    const { status, body } = await upload(file(PNG, named, OCTETS));
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });
});

describe('a form that is not as it should be', () => {
  const ok = () => own();
  const bad: [string, number, () => Part[]][] = [
    ['no file', 400, () => ok()],
    ['two files', 400, () => [...ok(), file(PNG), file(PNG)]],
    [
      'a file under another name',
      400,
      () => [...ok(), { ...file(PNG), disposition: 'form-data; name="x"; filename="a"' }],
    ],
    ['a file that is a field', 400, () => [...ok(), field('file', 'hello')]],
    ['an unknown field', 400, () => [...ok(), field('admin', 'true'), file(PNG)]],
    ['a field twice', 400, () => [...ok(), field('userId', 'alice'), file(PNG)]],
    ['a field twice behind the file', 400, () => [...ok(), file(PNG), field('userId', 'bob')]],
    [
      'a flood of fields',
      400,
      () => [...Array.from({ length: 500 }, (_, n) => field(`f${n}`, 'x')), file(PNG)],
    ],
    [
      'a flood of parts without a name',
      400,
      () => Array.from({ length: 500 }, () => ({ disposition: 'inline', body: 'x' })),
    ],
    ['a very long field', 400, () => [field('conversationId', 'c'.repeat(50_000)), file(PNG)]],
    ['no conversation', 400, () => [field('userId', 'alice'), file(PNG)]],
    ['no user', 400, () => [file(PNG), field('conversationId', conversationId)]],
    [
      'a conversation that is none',
      400,
      () => [field('conversationId', '../x'), field('userId', 'alice'), file(PNG)],
    ],
    ['an empty file', 400, () => [...ok(), file('')]],
    [
      'more beside the file than forms have',
      413,
      () => [...ok(), { ...file(pdf(BYTES_MAX)) }, { disposition: 'x', body: 'y'.repeat(70_000) }],
    ],
  ];
  it.each(bad)('%s: %d', async (_what, status, parts) => {
    const before = await bucketBytes();
    const answer = await send(...parts());
    expect([answer.status, answer.body.requestId]).toEqual([status, expect.any(String)]);
    await waitFor('nothing of it to be left', async () => (await bucketBytes()) === before);
  });

  const body = multipart(file(PNG));
  it.each<[string, number, Uint8Array, Record<string, string>]>([
    ['JSON', 415, Buffer.from('{}'), { 'Content-Type': 'application/json' }],
    ['no type', 415, body, { 'Content-Type': '' }],
    ['no boundary', 400, body, { 'Content-Type': 'multipart/form-data' }],
    ['another boundary', 400, body, { 'Content-Type': 'multipart/form-data; boundary=other' }],
    ['a compressed form', 415, body, { ...MULTIPART, 'Content-Encoding': 'gzip' }],
    ['nothing', 400, Buffer.alloc(0), MULTIPART],
    ['a form that is cut off', 400, multipart(file(pdf(300_000))).subarray(0, 200_000), MULTIPART],
    [
      'part headers without an end',
      400,
      Buffer.from(`--xX-boundary-Xx\r\n${'X: y\r\n'.repeat(8_000)}`),
      MULTIPART,
    ],
  ])('%s: %d', async (_what, status, bytes, headers) => {
    const before = await bucketBytes();
    expect((await api.call('POST', PATH, bytes, headers)).status).toBe(status);
    await waitFor('nothing of it to be left', async () => (await bucketBytes()) === before);
  });
});

describe('a download', () => {
  let id: string;
  const bytes = pdf(400_000);
  beforeEach(async () => {
    id = (await upload(file(bytes))).body.attachment.id;
  });

  it('of any range is what a slice gives', async () => {
    const at = fc.integer({ min: 0, max: bytes.length + 1_000 });
    const check = async (first: number, last: number) => {
      const answer = await get(id, { Range: `bytes=${first}-${last}` });
      const status = last < first ? 200 : first >= bytes.length ? 416 : 206;
      expect(answer.status).toBe(status);
      if (status !== 206) return;
      const end = Math.min(last, bytes.length - 1);
      expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${end}/${bytes.length}`);
      expect(answer.headers.get('content-length')).toBe(String(end - first + 1));
      expect(answer.bytes.equals(bytes.subarray(first, last + 1))).toBe(true);
    };
    await fc.assert(fc.asyncProperty(at, at, check), { numRuns: 40 });
  });

  it.each([
    ['bytes=399990-', 206, bytes.subarray(399_990)],
    ['bytes=-7', 206, bytes.subarray(-7)],
    ['bytes=-9999999', 206, bytes],
    ['bytes=0-0', 206, bytes.subarray(0, 1)],
    ['Bytes = 0-0', 200, bytes],
    ['BYTES=0-0', 206, bytes.subarray(0, 1)],
    ['bytes=0-1,5-6', 200, bytes],
    ['pages=1-2', 200, bytes],
    ['bytes=x', 200, bytes],
  ])('answers %s with %d', async (range, status, wanted) => {
    const answer = await get(id, { Range: range });
    expect([answer.status, answer.bytes.equals(wanted)]).toEqual([status, true]);
  });

  it.each(['bytes=400000-', 'bytes=-0'])('answers %s with 416 and how long it is', async (range) => {
    const answer = await get(id, { Range: range });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */400000']);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    // What comes is no file to be saved.
    expect(answer.headers.get('content-disposition')).toBeNull();
  });

  it('is not repeated to who has it, and a range of something else is not given', async () => {
    const etag = (await get(id, {}, 'HEAD')).headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await get(id, { 'If-None-Match': known });
      expect([answer.status, answer.bytes.length, answer.headers.get('etag')]).toEqual([304, 0, etag]);
      expect(answer.headers.get('content-type')).toBeNull();
      expect(answer.headers.get('cache-control')).toBe('private, no-cache, no-transform');
    }
    expect((await get(id, { 'If-None-Match': '"x"' })).status).toBe(200);
    expect((await get(id, { Range: 'bytes=0-1', 'If-Range': etag })).status).toBe(206);
    for (const other of ['"x"', `W/${etag}`, new Date().toUTCString()]) {
      expect((await get(id, { Range: 'bytes=0-1', 'If-Range': other })).status).toBe(200);
    }
  });

  it('is looked at with HEAD, without its bytes', async () => {
    const { status, headers, bytes: none } = await get(id, {}, 'HEAD');
    expect([status, headers.get('content-length'), none.length]).toEqual([200, '400000', 0]);
    // A range is something that only GET knows (RFC 9110, section 14.2).
    for (const range of ['bytes=0-1', 'bytes=400000-']) {
      const whole = await get(id, { Range: range }, 'HEAD');
      expect([whole.status, whole.headers.get('content-length')]).toEqual([200, '400000']);
      expect(whole.headers.get('content-range')).toBeNull();
    }
  });

  it('is never compressed: ranges count its bytes as they are', async () => {
    const text = 'the same words again and again '.repeat(1_000);
    const { attachment } = (await upload(file(text, 'a.txt', 'text/plain'))).body;
    const answer = await get(attachment.id, { 'Accept-Encoding': 'gzip, br' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it('is for pages of its own origin alone, also where others may use the API', async () => {
    const open = await startTestApi({ shell: { allowedOrigins: '*' } });
    const made = { userId: 'alice', visibility: 'open' };
    const to = (await open.call('POST', '/api/chat/conversations', made)).body.conversation.id;
    const form = multipart(field('conversationId', to), field('userId', 'alice'), file(PNG));
    const sent = await open.call('POST', PATH, form, MULTIPART);
    expect(sent.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    const { headers } = await fetch(`${open.url}${sent.headers.get('location')}?userId=alice`);
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    await open.stop();
  });

  it('by who may not see the conversation answers as for an upload that is missing', async () => {
    const missing = await get('u_aaaaaaaaaaaaaaaaaaaaa');
    for (const query of ['?userId=mallory', '']) {
      const answer = await get(id, {}, 'GET', query);
      expect(answer.status).toBe(404);
      const told = ({ bytes: text }: { bytes: Buffer }) => ({
        ...JSON.parse(text.toString()),
        requestId: '',
      });
      expect(told(answer)).toEqual(told(missing));
    }
    expect((await get(id, { 'X-User-Id': 'bob' }, 'GET', '')).status).toBe(200);
    expect((await get('u_..%2fx')).status).toBe(400);
    expect((await get(id, {}, 'DELETE')).status).toBe(405);
  });
});

describe('attaching', () => {
  const post = (attachments: unknown, userId = 'alice', to = conversationId) =>
    api.call('POST', '/api/chat/messages', { conversationId: to, userId, content: 'look', attachments });

  it('shows the facts of the store, whatever the client says, in the order of the message', async () => {
    const one = (await upload(file(PNG, 'one.png'))).body.attachment;
    const two = (await upload(file(pdf(1_000), 'two.pdf'))).body.attachment;
    const { status, body } = await post([
      two.id,
      { ...one, name: 'evil.html', bytes: 1, mediaType: 'text/html' },
    ]);
    expect([status, body.message.attachments]).toEqual([201, [two, one]]);
  });

  it('needs an upload of the same user, to the same conversation', async () => {
    const { id } = (await upload(file(PNG))).body.attachment;
    const elsewhere = await newConversation({ userId: 'alice', participantIds: ['bob'] });
    for (const answer of [
      await post([id], 'bob'),
      await post([id], 'alice', elsewhere),
      await post(['u_aaaaaaaaaaaaaaaaaaaaa']),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
      expect(answer.body.errors).toMatchObject([{ path: 'attachments.0' }]);
    }
    expect((await post([id, 'u_bbbbbbbbbbbbbbbbbbbbb'])).body.errors).toMatchObject([
      { path: 'attachments.1' },
    ]);
  });

  it('takes ten', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 10; n++) ids.push((await upload(file(PNG, `${n}.png`))).body.attachment.id);
    const { status, body } = await post(ids);
    expect([status, body.message.attachments.map(({ id }: { id: string }) => id)]).toEqual([201, ids]);
  });

  it.each([
    ['eleven', () => Array.from({ length: 11 }, (_, n) => `u_${String(n).padStart(21, 'a')}`)],
    ['no id', () => [{ name: 'x' }]],
    ['no list', () => 'u_aaaaaaaaaaaaaaaaaaaaa'],
    ['what is no id', () => ['u_../x']],
    ['a number', () => [5]],
    ['one twice', () => ['u_aaaaaaaaaaaaaaaaaaaaa', { id: 'u_aaaaaaaaaaaaaaaaaaaaa' }]],
  ])('of %s: 400', async (_what, attachments) => {
    const { status, body } = await post(attachments());
    expect([status, body.errors[0].path]).toEqual([400, expect.stringMatching(/^attachments/)]);
  });

  it('ends with erasure: the bytes go with the message', async () => {
    const before = await bucketBytes();
    const { id } = (await upload(file(pdf(300_000)))).body.attachment;
    const { message } = (await post([id])).body;
    const path = `/api/chat/messages/${message.messageId}`;
    const erased = await api.call('DELETE', `${path}?erase=true`, { conversationId, userId: 'alice' });
    expect([erased.status, erased.body.erased]).toEqual([200, 1]);
    expect((await get(id)).status).toBe(404);
    expect(await bucketBytes()).toBe(before);
  });
});
