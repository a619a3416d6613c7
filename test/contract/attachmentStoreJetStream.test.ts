import { expect, it } from 'vitest';
import { UPLOADS_BUCKET, UPLOADS_STREAM } from '../../src/contracts/uploads/uploads.ts';
import { openTestAttachments, storeUpload, uploadBytes } from '../support/http/uploads.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { attachmentStoreContract } from './attachmentStoreContract.ts';

attachmentStoreContract('the store of uploads on JetStream', async (bytesMax) => {
  const nats = await startTestNats();
  const { store, close } = await openTestAttachments(nats.url, bytesMax);
  return { store, close: () => close().then(() => nats.stop()) };
});

it("NATS' own object store reads what was uploaded, and checks it", async () => {
  const nats = await startTestNats();
  const { store, connection, close } = await openTestAttachments(nats.url);
  try {
    const bytes = uploadBytes(300_000);
    const { id } = await storeUpload(store, bytes);
    const bucket = await connection.jetstream().views.os(UPLOADS_BUCKET);
    expect(await bucket.info(id)).toMatchObject({ name: id, size: 300_000, chunks: 3, deleted: false });
    expect((await bucket.list()).map(({ name }) => name)).toEqual([id]);
    expect(Buffer.from((await bucket.getBlob(id)) ?? []).equals(bytes)).toBe(true);
  } finally {
    await close();
    await nats.stop();
  }
});

it('what a tool puts beside the uploads is no upload and is left alone', async () => {
  const nats = await startTestNats();
  const { store, connection, close } = await openTestAttachments(nats.url);
  try {
    const bucket = await connection.jetstream().views.os(UPLOADS_BUCKET);
    await bucket.putBlob({ name: 'notes' }, uploadBytes(1_000));
    await bucket.putBlob({ name: 'u_aaaaaaaaaaaaaaaaaaaaa' }, uploadBytes(1_000));
    const future = Date.now() + 60_000;
    const survey = await store.survey({ after: 0, storedBeforeMs: future, leftBeforeMs: future });
    expect(survey.leftovers).toEqual([]);
    expect(await store.find('u_aaaaaaaaaaaaaaaaaaaaa')).toBeNull();
  } finally {
    await close();
    await nats.stop();
  }
});

it('a chunk that is gone breaks the read off', async () => {
  const nats = await startTestNats();
  const { store, connection, close } = await openTestAttachments(nats.url);
  try {
    const { id } = await storeUpload(store, uploadBytes(600_000));
    const manager = await connection.jetstreamManager();
    await manager.streams.deleteMessage(UPLOADS_STREAM, 3);
    const found = await store.find(id);
    const read = async () => {
      let length = 0;
      for await (const part of found?.read() ?? []) length += part.length;
      return length;
    };
    await expect(read()).rejects.toThrow('is not in the store any more');
  } finally {
    await close();
    await nats.stop();
  }
});
