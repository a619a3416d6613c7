import { createHash, randomBytes } from 'node:crypto';
import { openJetStreamAttachments } from '../../../src/eventlog/jetstream/jetStreamAttachments.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { connectNats } from '../../../src/platform/nats/connection.ts';
import type { AttachmentStore, UploadFacts } from '../../../src/ports/attachmentStore.ts';
import { C1 } from '../domain/conversations.ts';
import { closing } from '../eventlog/jetStreamLog.ts';

/** Bytes that no part of which is like another. */
export function uploadBytes(length: number): Buffer {
  return randomBytes(length);
}

/** Stores bytes as an upload of alice, past everything that checks them. */
export async function storeUpload(
  store: AttachmentStore,
  bytes: Uint8Array,
  facts: Partial<UploadFacts> = {},
): Promise<UploadFacts> {
  const id = facts.id ?? systemIds.uploadId();
  const writer = store.begin(id);
  for (let at = 0; at < bytes.length; at += 50_000) await writer.write(bytes.subarray(at, at + 50_000));
  const stored = {
    name: 'a.bin',
    mediaType: 'application/pdf',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    conversationId: C1,
    userId: 'alice',
    uploadedAtMs: Date.now(),
    ...facts,
  };
  await writer.finish(stored);
  return { ...stored, id };
}

export async function readAll(parts: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const part of parts ?? []) read.push(part);
  return Buffer.concat(read);
}

/** The project's bucket of uploads on a test's own nats-server. */
export async function openTestAttachments(natsUrl: string, maxBytes = 256 * 1_024 ** 2, deadlineMs = 40_000) {
  const connection = await connectNats({ url: natsUrl, name: 'test uploads' });
  const store = await openJetStreamAttachments({
    connection,
    definition: new URL('nats/streams/OBJ_chat-uploads.json', projectRootUrl()),
    settings: { maxBytes, replicas: 1 },
    publisher: {
      windowMax: 128,
      queueMax: 128,
      queueBytesMax: 64 * 1_024 ** 2,
      ackTimeoutMs: 2_000,
      deadlineMs,
    },
  }).catch(closing(connection));
  const close = async () => {
    await store.close(1_000);
    await connection.close();
  };
  return { store, connection, close };
}
