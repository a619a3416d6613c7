import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { ChatHttp, type ChatHttpOptions } from '../../../client/src/index.ts';
import { M1 } from '../../support/domain/conversations.ts';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { PNG } from '../../support/http/multipart.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

const UPLOAD_BYTES_MAX = 100_000;

let database: TestDatabase;
let api: TestApi;
beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({
    databaseUrl: database.url,
    uploads: { bytesMax: UPLOAD_BYTES_MAX },
    online: async (userIds) => new Set(userIds.filter((id) => id.startsWith('on'))),
  });
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const http = (userId = 'alice', options: Partial<ChatHttpOptions> = {}) =>
  new ChatHttp({ url: api.url, userId, ...options });

let conversationId = '';
let messageId = '';
let seq = 0;
beforeEach(async () => {
  const { conversation } = await http().createConversation({ visibility: 'open' });
  conversationId = conversation.id;
  const posted = await http().send(conversationId, 'hello');
  ({ messageId } = posted.message);
  seq = posted.seq;
});

/** The message as history shows it. */
async function shown() {
  await projectAll(api);
  const { messages } = await http().history(conversationId);
  return messages[0];
}

describe('changing a message', () => {
  it('edits it', async () => {
    const edited = await http().edit(conversationId, messageId, 'better', { seq });
    expect(edited).toMatchObject({ messageId, seq: expect.any(Number), position: expect.any(String) });
    expect(await shown()).toMatchObject({ content: 'better', editedAt: edited.editedAt });
  });

  it('adds a reaction and takes it back', async () => {
    for (const emoji of ['👍🏽', '#️⃣', ':+1:']) {
      const added = await http().react(conversationId, messageId, emoji, { seq });
      expect(added).toMatchObject({ messageId, emoji, at: expect.any(String) });
      expect(await shown()).toMatchObject({ reactions: { [emoji]: ['alice'] } });
      expect(await http().unreact(conversationId, messageId, emoji)).toMatchObject({ messageId, emoji });
      expect(await shown()).toMatchObject({ reactions: {} });
    }
  });

  it.each(['.', '..'])('refuses the reaction %j, which would make another URL', async (emoji) => {
    const before = await api.eventsInLog();
    const invalid = { name: 'InvalidArgumentError', argument: 'emoji' };
    await expect(http().react(conversationId, messageId, emoji)).rejects.toMatchObject(invalid);
    await expect(http().unreact(conversationId, messageId, emoji)).rejects.toMatchObject(invalid);
    expect(await api.eventsInLog()).toBe(before);
  });

  it('deletes it, and erases it only when told to', async () => {
    const deleted = await http().delete(conversationId, messageId, { erase: false });
    expect(deleted).not.toHaveProperty('erased');
    expect(await shown()).toMatchObject({ content: '', deletedAt: deleted.deletedAt });
    const erased = await http().delete(conversationId, messageId, { erase: true, seq });
    expect(erased).toMatchObject({ messageId, erased: 1 });
  });

  it('is the author’s alone', async () => {
    const forbidden = { name: 'ChatProblem', status: 403, code: 'forbidden' };
    await expect(http('bob').edit(conversationId, messageId, 'mine')).rejects.toMatchObject(forbidden);
    await expect(http('bob').delete(conversationId, messageId)).rejects.toMatchObject(forbidden);
  });

  it('sends nothing that the server would refuse', async () => {
    const invalid = { name: 'InvalidArgumentError' };
    await expect(http().edit(conversationId, messageId, '')).rejects.toMatchObject(invalid);
    await expect(http().edit('c_1', messageId, 'better')).rejects.toMatchObject(invalid);
    await expect(http().delete(conversationId, '../m_1')).rejects.toMatchObject(invalid);
    await expect(http().react(conversationId, M1, 'a b')).rejects.toMatchObject(invalid);
    await expect(http().unreact(conversationId, M1, '👍', { seq: -1 })).rejects.toMatchObject(invalid);
    const attachments = ['u_1'];
    await expect(http().send(conversationId, 'hi', { attachments })).rejects.toMatchObject(invalid);
  });

  it('ends when the caller says so', async () => {
    const reason = new Error('the user went away');
    const options = { signal: AbortSignal.abort(reason) };
    await expect(http().edit(conversationId, messageId, 'better', {}, options)).rejects.toBe(reason);
    await expect(http().delete(conversationId, messageId, {}, options)).rejects.toBe(reason);
    await expect(http().react(conversationId, messageId, '👍', {}, options)).rejects.toBe(reason);
    await expect(http().unreact(conversationId, messageId, '👍', {}, options)).rejects.toBe(reason);
    await expect(http().search('hello', {}, options)).rejects.toBe(reason);
    await expect(http().presence(['bob'], options)).rejects.toBe(reason);
    await expect(http().upload(conversationId, new Blob(['hi']), {}, options)).rejects.toBe(reason);
    expect(await shown()).toMatchObject({ content: 'hello', reactions: {}, deletedAt: null });
  });
});

test('what was said is found by its words, page by page, the latest first', async () => {
  for (const content of ['green tea', 'black tea', 'green & <b>bold</b>'])
    await http().send(conversationId, content);
  const other = await http().createConversation();
  await http().send(other.conversation.id, 'green elsewhere');
  await projectAll(api);
  const first = await http().search('green', { conversationId, limit: 1 });
  expect(first.messages).toMatchObject([
    { conversationId, highlight: '<mark>green</mark> &amp; &lt;b&gt;bold&lt;/b&gt;', reactions: {} },
  ]);
  const second = await http().search('green', { conversationId, limit: 1, cursor: first.nextCursor ?? '' });
  expect(second.messages).toMatchObject([{ content: 'green tea' }]);
  const { messages, nextCursor } = await http().search('"green elsewhere" or black');
  expect(messages.map(({ content }) => content)).toEqual(['green elsewhere', 'black tea']);
  expect(nextCursor).toBeNull();
  await expect(http().search('')).rejects.toMatchObject({ name: 'ChatProblem', code: 'invalid_request' });
  const wrong = http().search('green', { conversationId: 'c_1' });
  await expect(wrong).rejects.toMatchObject({ name: 'InvalidArgumentError' });
});

test.each([[['on1']], [['on1', 'off1']], [['on,1']], [['off,on', 'on & é', 'on😀']]])(
  'who is online of %j is told by their ids as they are',
  async (userIds) => {
    const expected = userIds.map((userId) => [userId, userId.startsWith('on') ? 'online' : 'offline']);
    expect(await http().presence(userIds)).toEqual(Object.fromEntries(expected));
  },
);

describe('uploading', () => {
  const text = (length: number) => new Blob(['x'.repeat(length)], { type: 'text/plain' });

  it('stores a file under its name, which a message then brings and its link gives back', async () => {
    const file = new File([PNG], 'Zoë’s cat; & co.png', { type: 'image/png' });
    const attachment = await http().upload(conversationId, file);
    expect(attachment).toMatchObject({ name: file.name, mediaType: 'image/png', bytes: PNG.length });
    const { message } = await http().send(conversationId, 'see', { attachments: [attachment.id] });
    expect(message.attachments).toEqual([attachment]);
    const downloaded = await fetch(http().uploadUrl(attachment.id));
    expect(Buffer.from(await downloaded.arrayBuffer())).toEqual(PNG);
  });

  it('names what has no name, or another one', async () => {
    expect(await http().upload(conversationId, text(10))).toMatchObject({ name: 'blob', bytes: 10 });
    const named = await http().upload(conversationId, text(10), { name: 'notes.txt' });
    expect(named).toMatchObject({ name: 'notes.txt', mediaType: 'text/plain' });
  });

  it('links to what only who may see its conversation gets', async () => {
    const { conversation } = await http().createConversation();
    const { id } = await http().upload(conversation.id, text(10));
    expect((await fetch(http().uploadUrl(id))).status).toBe(200);
    expect((await fetch(http('eve').uploadUrl(id))).status).toBe(404);
    expect(() => http().uploadUrl('../messages')).toThrow(/^attachmentId must be/);
  });

  it('says why the server did not take it', async () => {
    const script = new Blob(['<svg/>'], { type: 'image/svg+xml' });
    const unsupported = { name: 'ChatProblem', code: 'unsupported_media_type' };
    await expect(http().upload(conversationId, script)).rejects.toMatchObject(unsupported);
    const large = http().upload(conversationId, text(UPLOAD_BYTES_MAX + 1));
    await expect(large).rejects.toMatchObject({ name: 'ChatProblem', code: 'payload_too_large' });
    const { conversation } = await http().createConversation();
    const foreign = http('eve').upload(conversation.id, text(10));
    await expect(foreign).rejects.toMatchObject({ name: 'ChatProblem', code: 'not_found' });
    await expect(http().upload('c_1', text(10))).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  });

  it('has a deadline of its own', async () => {
    const never: typeof fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const slow = http('alice', { fetch: never, timeoutMs: 60_000, uploadTimeoutMs: 20 });
    const timeout = { name: 'HttpTimeoutError', message: expect.stringContaining('within 20 ms') };
    await expect(slow.upload(conversationId, text(10))).rejects.toMatchObject(timeout);
  });
});
