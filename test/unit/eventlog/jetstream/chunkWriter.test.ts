import { expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../../../src/contracts/uploads/uploads.ts';
import { ChunkWriter, UNACKNOWLEDGED_CHUNKS_MAX } from '../../../../src/eventlog/jetstream/chunkWriter.ts';
import { LogFullError, LogUnavailableError, UnknownOutcomeError } from '../../../../src/ports/eventLog.ts';

/** A store that answers when and as it is told. */
function heldStore() {
  const sent: { subject: string; bytes: number; store: () => void; fail: (error: Error) => void }[] = [];
  const erased: number[][] = [];
  let seq = 0;
  const sink = {
    publish: (subject: string, bytes: Uint8Array) =>
      new Promise<number>((resolve, reject) => {
        sent.push({ subject, bytes: bytes.length, store: () => resolve(++seq), fail: reject });
      }),
    erase: async (seqs: readonly number[]) => void erased.push([...seqs]),
  };
  return { writer: new ChunkWriter('u_1', sink), sent, erased };
}

const facts = { name: 'a', mediaType: 'application/pdf', sha256: '', conversationId: 'c', userId: 'u' };
const finish = (writer: ChunkWriter, bytes: number) => writer.finish({ ...facts, bytes, uploadedAtMs: 0 });

/** Lets everything that can go on by itself go on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a store that acknowledges nothing is sent four chunks, and what is written beyond one more waits', async () => {
  const { writer, sent } = heldStore();
  let written = 0;
  const writing = (async () => {
    for (let n = 0; n < 40; n++) {
      await writer.write(new Uint8Array(CHUNK_BYTES / 4));
      written += CHUNK_BYTES / 4;
    }
  })();
  await settle();
  expect(sent).toHaveLength(UNACKNOWLEDGED_CHUNKS_MAX);
  // The write that filled the fifth chunk has not returned.
  expect(written).toBe(5 * CHUNK_BYTES - CHUNK_BYTES / 4);
  sent[2]?.store();
  await settle();
  expect(sent).toHaveLength(UNACKNOWLEDGED_CHUNKS_MAX + 1);
  for (let at = 0; at < 10; at++) {
    sent[at]?.store();
    await settle();
  }
  await writing;
  expect(sent.every(({ bytes }) => bytes === CHUNK_BYTES)).toBe(true);
});

test('the info is sent when every chunk is stored, and the rest of a chunk with it', async () => {
  const { writer, sent } = heldStore();
  await writer.write(new Uint8Array(CHUNK_BYTES + 7));
  const finishing = finish(writer, CHUNK_BYTES + 7);
  await settle();
  expect(sent.map(({ bytes }) => bytes)).toEqual([CHUNK_BYTES, 7]);
  sent[1]?.store();
  await settle();
  expect(sent).toHaveLength(2);
  sent[0]?.store();
  await settle();
  expect(sent).toHaveLength(3);
  expect(sent[2]?.subject).toMatch(/^\$O\.chat-uploads\.M\./);
  sent[2]?.store();
  await finishing;
});

test.each([
  ['full', new LogFullError('x'), 'StoreFullError'],
  ['that did not answer', new UnknownOutcomeError('x'), 'LogUnavailableError'],
])('after a store %s nothing more is sent, and what was stored is erased', async (_what, error, name) => {
  const { writer, sent, erased } = heldStore();
  await writer.write(new Uint8Array(3 * CHUNK_BYTES));
  sent[0]?.store();
  sent[1]?.fail(error);
  sent[2]?.store();
  await settle();
  await expect(writer.write(new Uint8Array(CHUNK_BYTES))).rejects.toMatchObject({ name });
  await expect(finish(writer, 4 * CHUNK_BYTES)).rejects.toMatchObject({ name });
  await writer.abort();
  expect(sent).toHaveLength(3);
  expect(erased).toEqual([[1, 2]]);
});

test('an upload that is given up erases what is stored of it once nothing is under way', async () => {
  const { writer, sent, erased } = heldStore();
  await writer.write(new Uint8Array(2 * CHUNK_BYTES));
  const aborting = writer.abort();
  await settle();
  expect(erased).toEqual([]);
  sent[1]?.store();
  sent[0]?.fail(new LogUnavailableError('x'));
  await aborting;
  expect(erased).toEqual([[1]]);
  await expect(finish(writer, 2 * CHUNK_BYTES)).rejects.toThrow('given up');
});
