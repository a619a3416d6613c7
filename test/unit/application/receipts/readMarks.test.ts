import { afterEach, beforeEach, expect, test } from 'vitest';
import { createConversation } from '../../../../src/application/commands/createConversation.ts';
import { postMessage } from '../../../../src/application/commands/postMessage.ts';
import { ReadMarks } from '../../../../src/application/receipts/readMarks.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { MemoryReceipts } from '../../../../src/eventlog/memory/memoryReceipts.ts';
import { LogUnavailableError } from '../../../../src/ports/eventLog.ts';
import type { Receipt } from '../../../../src/ports/receipts.ts';
import { applicationOn } from '../../../support/application/application.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

let time: ManualTime;
let marks: ReadMarks;
let published: number[];
let fault: Error | null;
let seqs: number[];
let conversationId: string;

beforeEach(async () => {
  time = new ManualTime();
  published = [];
  fault = null;
  const log = new MemoryEventLog();
  const clock = { nowMs: () => time.nowMs() };
  const application = applicationOn({ log }, { clock });
  class Observed extends MemoryReceipts {
    override async mark(receipt: Receipt): Promise<void> {
      if (fault !== null) throw fault;
      published.push(receipt.seq);
      await super.mark(receipt);
    }
  }
  marks = new ReadMarks({ application, receipts: new Observed(), timers: time });
  const wanted = { userId: 'alice', title: null, visibility: 'members', participantIds: ['bob'] } as const;
  ({ conversationId } = await createConversation(application, wanted));
  seqs = [];
  for (let n = 0; n < 10; n++) {
    seqs.push((await postMessage(application, { conversationId, userId: 'alice', content: `${n}` })).seq);
  }
});
afterEach(() => expect(time.pending).toBe(0));

const mark = (seq: number | undefined, userId = 'bob') =>
  marks.mark({ conversationId, userId, seq: seq ?? 0 });

test('the first mark is set at once', async () => {
  expect(await mark(seqs[3])).toEqual({ seq: seqs[3] });
  expect(published).toEqual([seqs[3]]);
});

test('fast scrolling costs one mark in 250 ms, the newest, and all who asked are answered with it', async () => {
  await mark(seqs[0]);
  const asked = seqs.slice(1, 6).map((seq) => mark(seq));
  await time.advance(249);
  expect(published).toEqual([seqs[0]]);
  await time.advance(1);
  expect(await Promise.all(asked)).toEqual(Array(5).fill({ seq: seqs[5] }));
  expect(published).toEqual([seqs[0], seqs[5]]);
});

test('nobody is moved backwards', async () => {
  await mark(seqs[5]);
  expect(await mark(seqs[2])).toEqual({ seq: seqs[5] });
  expect(published).toEqual([seqs[5]]);
});

test('a place beyond the latest message counts as that', async () => {
  expect(await mark(1_000_000)).toEqual({ seq: seqs.at(-1) });
  const again = mark(1_000_001);
  await time.advance(250);
  expect(await again).toEqual({ seq: seqs.at(-1) });
  expect(published).toEqual([seqs.at(-1)]);
});

test('outsiders get the answer of a conversation that does not exist', async () => {
  await expect(mark(seqs[0], 'mallory')).rejects.toMatchObject({ code: 'not_found' });
  expect(published).toEqual([]);
});

test('what could not be marked is told, and can be asked for again', async () => {
  fault = new LogUnavailableError('away');
  await expect(mark(seqs[4])).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
  fault = null;
  const again = mark(seqs[4]);
  await time.advance(250);
  expect(await again).toEqual({ seq: seqs[4] });
});
