import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeEvent, encodeEvent } from '../../../../src/contracts/events/events.ts';

const directory = new URL('../../../fixtures/events/v1/', import.meta.url);
const files = readdirSync(directory).sort();

test.each(files)('%s, as version 1 stored it, is read as what it says', (file) => {
  const stored = readFileSync(new URL(file, directory));
  const event = decodeEvent(stored, 1);
  expect(event).toStrictEqual(JSON.parse(stored.toString()));
  expect(event.type).toBe(file.split('.')[0]);
  // Of the version that is written today: so today's code would store the same bytes.
  expect(Buffer.from(encodeEvent(event)).toString()).toBe(stored.toString());
});

test('every type of event is among what is kept', () => {
  const types = new Set(files.map((file) => file.split('.')[0]));
  expect([...types].sort()).toEqual([
    'ConversationArchived',
    'ConversationCreated',
    'ConversationRenamed',
    'MessageDeleted',
    'MessageEdited',
    'MessagePosted',
    'ParticipantAdded',
    'ParticipantRemoved',
    'ReactionAdded',
    'ReactionRemoved',
  ]);
});
