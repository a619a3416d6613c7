import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMemoryEdge } from '../../support/edge/memoryEdge.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const INBOX = { op: 'join', conversationId: '*' };

test('the inbox follows every conversation of the user, also new ones, and no other', async () => {
  const edge = await openMemoryEdge();
  const mine = await edge.newConversation('members', ['bob']);
  const others = await edge.newConversation('members');
  const { request, socket } = edge.connect('bob');
  expect(await request(INBOX)).toMatchObject({ op: 'joined', conversationId: '*', head: 2 });
  await edge.post(others, 'not for bob');
  const one = await edge.post(mine, 'one');
  const later = await edge.newConversation('members', ['bob']);
  const two = await edge.post(later, 'two');
  const three = await edge.post(mine, 'three');
  await waitFor('all events', () => socket.of('event').length === 4);
  const links = (id: string) =>
    socket
      .of('event')
      .filter(({ event }) => (event as { conversationId: string }).conversationId === id)
      .map(({ seq, prev }) => [seq, prev]);
  expect(links(mine)).toEqual([
    [one, 1],
    [three, one],
  ]);
  expect(links(later)).toEqual([
    [two - 1, 0],
    [two, two - 1],
  ]);
  await edge.stop();
});

test('an inbox that was away gets what was missed in each conversation, each event once', async () => {
  const edge = await openMemoryEdge();
  const [a, b, c] = [
    await edge.newConversation('members', ['bob']),
    await edge.newConversation('members', ['bob']),
    await edge.newConversation('members'),
  ];
  const after = await edge.post(a, 'seen');
  const missed = [await edge.post(b, 'one'), await edge.post(a, 'two'), await edge.post(b, 'three')];
  await edge.post(c, 'not for bob');
  const { request, socket } = edge.connect('bob');
  const joining = request({ ...INBOX, after });
  missed.push(await edge.post(a, 'four'));
  await joining;
  missed.push(await edge.post(b, 'five'));
  await waitFor('all events', () => socket.of('event').length === missed.length);
  expect(
    socket
      .of('event')
      .map(({ seq }) => Number(seq))
      .sort((x, y) => x - y),
  ).toEqual(missed);
  await edge.stop();
});

test('an inbox that was away for longer than is remembered is sent a resync', async () => {
  const edge = await openMemoryEdge({ recentEventsMax: 2 });
  const id = await edge.newConversation('members', ['bob']);
  for (let n = 0; n < 5; n++) await edge.post(id, 'text');
  await edge.caughtUp();
  const { request, socket } = edge.connect('bob');
  await request({ ...INBOX, after: 1 });
  expect(socket.of('resync')).toEqual([{ op: 'resync', conversationId: '*', reason: 'expired' }]);
  await edge.stop();
});

test('a user removed from a closed conversation is sent `left` and nothing more of it', async () => {
  const edge = await openMemoryEdge();
  const id = await edge.newConversation('members', ['bob', 'carol']);
  const joined = edge.connect('bob');
  const inbox = edge.connect('bob');
  const stays = edge.connect('carol');
  await joined.request({ op: 'join', conversationId: id });
  await inbox.request(INBOX);
  await stays.request({ op: 'join', conversationId: id });
  await edge.post(id, 'together');
  await waitFor('the inbox to follow', () => inbox.socket.of('event').length === 1);
  await edge.remove(id, 'bob');
  const last = await edge.post(id, 'without bob');
  await waitFor('carol to have it', () => stays.socket.of('event').at(-1)?.seq === last);
  for (const { socket } of [joined, inbox]) {
    expect(socket.of('event').map(({ seq }) => seq)).toEqual([last - 2, last - 1]);
    expect(socket.of('left')).toEqual([{ op: 'left', id: null, conversationId: id }]);
  }
  await edge.stop();
});

test('leaving the inbox ends what it followed and keeps what was joined', async () => {
  const edge = await openMemoryEdge();
  const [a, b] = [
    await edge.newConversation('members', ['bob']),
    await edge.newConversation('members', ['bob']),
  ];
  const { request, socket } = edge.connect('bob');
  await request(INBOX);
  await request({ op: 'join', conversationId: b });
  await edge.post(a, 'one');
  await waitFor('it to be followed', () => socket.of('event').length === 1);
  await request({ op: 'leave', conversationId: '*' });
  await edge.post(a, 'two');
  const three = await edge.post(b, 'three');
  await waitFor('what was joined', () => socket.of('event').at(-1)?.seq === three);
  expect(socket.of('event')).toHaveLength(2);
  expect(edge.hub.channels).toBe(1);
  await edge.stop();
});

test('an inbox of more conversations than one socket may follow loses nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }), async (turns) => {
      const edge = await openMemoryEdge({ joinsMax: 2 });
      const ids: string[] = [];
      for (let n = 0; n < 6; n++) ids.push(await edge.newConversation('members', ['bob']));
      const { request, socket } = edge.connect('bob');
      await request(INBOX);
      const posted: number[] = [];
      for (const turn of turns) posted.push(await edge.post(ids[turn] ?? '', 'text'));
      await waitFor('all events', () => socket.of('event').length === posted.length, { everyMs: 1 });
      const got = socket.of('event').map(({ seq }) => Number(seq));
      expect(got.sort((x, y) => x - y)).toEqual(posted);
      await edge.stop();
    }),
    { numRuns: 60 },
  );
});
