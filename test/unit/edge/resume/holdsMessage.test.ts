import { expect, test } from 'vitest';
import { encodeEvent } from '../../../../src/contracts/events/events.ts';
import { holdsMessage } from '../../../../src/edge/resume/holdsMessage.ts';
import { ReplayBuffer } from '../../../../src/edge/resume/replayBuffer.ts';
import { C1, C2, M1, M2, T0 } from '../../../support/domain/conversations.ts';

const base = { v: 1, conversationId: C1, userId: 'alice', at: T0 } as const;
const posted = encodeEvent({
  ...base,
  type: 'MessagePosted',
  messageId: M1,
  clientMessageId: 'k1',
  content: 'hello',
  replyTo: M2,
  attachments: [],
});
const edited = encodeEvent({ ...base, type: 'MessageEdited', messageId: M2, content: 'better' });

test('a message is found where it was posted, and nowhere else, for as long as it is there', () => {
  const recent = new ReplayBuffer({ eventsMax: 3, bytesMax: 10_000 });
  recent.begin(1);
  const add = (seq: number, bytes: Uint8Array) =>
    recent.add({ seq, conversationId: C1, category: 'message', bytes, storedAtMs: 0 }, seq - 1);
  add(1, posted);
  add(2, edited);
  expect(holdsMessage(recent, C1, M1)).toBe(true);
  expect(holdsMessage(recent, C2, M1)).toBe(false);
  // Edited and replied to here, but posted before.
  expect(holdsMessage(recent, C1, M2)).toBe(false);
  add(3, edited);
  add(4, edited);
  expect(holdsMessage(recent, C1, M1)).toBe(false);
  add(5, posted);
  recent.erase(C1, 1, ({ seq }) => seq === 5);
  expect(holdsMessage(recent, C1, M1)).toBe(false);
});
