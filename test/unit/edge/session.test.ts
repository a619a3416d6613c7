import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupOf } from '../../../src/contracts/events/subjects.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { openMemoryEdge as openEdge } from '../../support/edge/memoryEdge.ts';
import { waitFor } from '../../support/time/waitFor.ts';

test('a join answers with the head, then come the events after the given sequence, then live ones', async () => {
  const { connect, newConversation, post } = await openEdge();
  const conversationId = await newConversation();
  const first = await post(conversationId, 'one');
  const second = await post(conversationId, 'two');
  const { socket, request } = connect();
  expect(await request({ op: 'join', conversationId, after: first })).toMatchObject({
    op: 'joined',
    head: second,
  });
  const third = await post(conversationId, 'three');
  await waitFor('both events', () => socket.of('event').length === 2);
  expect(socket.of('event')).toMatchObject([
    { seq: second, prev: first, event: { content: 'two' } },
    { seq: third, prev: second, event: { content: 'three' } },
  ]);
});

test('a message that is sent again has the same id and sequence and is called a duplicate', async () => {
  const { connect, newConversation } = await openEdge();
  const conversationId = await newConversation();
  const { request } = connect();
  const send = { op: 'send', conversationId, clientMessageId: 'k', content: 'hi' };
  const first = await request(send);
  expect(first).toMatchObject({ op: 'ack', level: 'accepted', duplicate: false });
  expect(await request(send)).toMatchObject({ messageId: first.messageId, seq: first.seq, duplicate: true });
  expect(await request({ ...send, content: 'ho' })).toMatchObject({
    op: 'error',
    code: 'client_message_id_reused',
    retryable: false,
  });
});

test.each([
  [[], 'durable'],
  [['this'], 'accepted'],
])('a durable send is acknowledged once, when the history has it; parked: %s', async (parked, level) => {
  const { connect, newConversation, progress, log } = await openEdge();
  const conversationId = await newConversation();
  const { request, socket } = connect();
  const send = { op: 'send', conversationId, content: 'hi' };
  const sent = request({ ...send, level: 'durable' });
  await waitFor('the message to be stored', async () => (await log.status()).lastSeq === 2);
  const group = groupOf(conversationId);
  progress.announce({ group, seq: 1, parked: [] });
  // The next answer overtakes it: it waits for the history alone.
  expect(await request(send)).toMatchObject({ level: 'accepted', seq: 3 });
  expect(socket.of('ack')).toHaveLength(1);
  progress.announce({ group, seq: 2, parked: parked.map(() => conversationId) });
  expect(await sent).toMatchObject({ op: 'ack', seq: 2, level, duplicate: false });
  expect(socket.of('ack')).toHaveLength(2);
});

test('a closed conversation looks like none to those outside it', async () => {
  const { connect, newConversation } = await openEdge();
  const closed = await newConversation('members');
  const { request, socket } = connect('mallory');
  const missing = systemIds.conversationId();
  for (const conversationId of [closed, missing]) {
    expect(await request({ op: 'join', conversationId })).toMatchObject({ op: 'error', code: 'not_found' });
    const sent = await request({ op: 'send', conversationId, content: 'hi' });
    expect(sent).toMatchObject({ op: 'error', code: 'not_found', retryable: false });
  }
  expect(socket.topics.size).toBe(0);
});

test.each([
  ['not json', null],
  ['"text"', null],
  ['[]', null],
  ['{"op":"fly","id":4}', 4],
  ['{"op":"join","id":4}', 4],
  ['{"op":"join","id":4,"conversationId":"c_*"}', 4],
  ['{"op":"ping","id":"4"}', null],
  ['{"op":"ping","id":4,"more":1}', 4],
  ['{"op":"send","id":4,"conversationId":"c_aaaaaaaaaaaaaaaaaaaaa","content":""}', 4],
  ['{"op":"send","id":4,"conversationId":"c_aaaaaaaaaaaaaaaaaaaaa","content":"\\u0000"}', 4],
  ['{"__proto__":{"op":"ping"},"id":4}', 4],
])('the malformed frame %s is answered, and the session goes on', async (text, id) => {
  const { connect, log, faults } = await openEdge();
  const { socket, session, request } = connect();
  session.receive(text);
  expect(socket.frames).toMatchObject([{ op: 'error', id, code: 'invalid_request', retryable: false }]);
  socket.frames.length = 0;
  expect(await request({ op: 'ping' })).toMatchObject({ op: 'pong' });
  expect((await log.status()).lastSeq).toBe(0);
  expect(faults).toEqual([]);
});

test('joins and requests in flight are bounded, and leaving makes room', async () => {
  const { connect, newConversation } = await openEdge({ joinsMax: 3, requestsMax: 5 });
  const { request, session, socket } = connect();
  const ids = await Promise.all(Array.from({ length: 4 }, () => newConversation()));
  for (const conversationId of ids.slice(0, 3)) await request({ op: 'join', conversationId });
  expect(await request({ op: 'join', conversationId: ids[3] })).toMatchObject({
    code: 'overloaded',
    retryable: true,
  });
  expect(await request({ op: 'leave', conversationId: ids[0] })).toMatchObject({ op: 'left' });
  expect(await request({ op: 'join', conversationId: ids[3] })).toMatchObject({ op: 'joined' });
  for (let id = 100; id < 110; id++) {
    session.receive(JSON.stringify({ op: 'send', id, conversationId: ids[1], content: 'much at once' }));
  }
  await waitFor('all answers', () => socket.frames.filter(({ id }) => Number(id) >= 100).length === 10);
  expect(socket.of('ack')).toHaveLength(5);
  expect(socket.of('error').filter(({ code }) => code === 'overloaded')).toHaveLength(6);
});

test('an end gives everything back, also what was just being joined', async () => {
  const { connect, newConversation, hub } = await openEdge();
  const [one, two] = [await newConversation(), await newConversation()];
  const { request, session } = connect();
  await request({ op: 'join', conversationId: one });
  session.receive(JSON.stringify({ op: 'join', id: 99, conversationId: two, after: 0 }));
  session.end();
  await waitFor('no channel', () => hub.channels === 0);
});

test('an end gives the inbox back, also one that was just being joined', async () => {
  const { connect, newConversation, realtime } = await openEdge();
  await newConversation();
  const [joined, joining] = [connect(), connect()];
  await joined.request({ op: 'join', conversationId: '*' });
  expect(realtime.context.inbox.users).toBe(1);
  joined.disconnect();
  joining.session.receive(JSON.stringify({ op: 'join', id: 1, conversationId: '*', after: 0 }));
  joining.disconnect();
  await waitFor('the join to be over', () => joining.session.inFlight === 0);
  expect(realtime.context.inbox.users).toBe(0);
});

test('joining again starts over from where the client says', async () => {
  const { connect, newConversation, post } = await openEdge();
  const conversationId = await newConversation();
  const seq = await post(conversationId, 'one');
  const { request, socket } = connect();
  await request({ op: 'join', conversationId });
  await request({ op: 'join', conversationId, after: 0 });
  await waitFor('the past', () => socket.of('event').length === 2);
  await post(conversationId, 'two');
  await waitFor('the future, once', () => socket.of('event').length === 3);
  expect(socket.of('event').at(-1)).toMatchObject({ prev: seq });
});

test('an epoch or a sequence of another log is answered with resync', async () => {
  const { connect, newConversation } = await openEdge();
  const conversationId = await newConversation();
  const { request, socket } = connect();
  await request({ op: 'join', conversationId, after: 0, epoch: 'another' });
  await request({ op: 'join', conversationId, after: 1_000_000 });
  expect(socket.of('resync')).toEqual([
    { op: 'resync', conversationId, reason: 'epoch' },
    { op: 'resync', conversationId, reason: 'epoch' },
  ]);
  expect(socket.topics.size).toBe(0);
});

test('whatever a client has seen and whatever is said meanwhile, its view is the log without a hole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.nat(60),
      fc.nat(20),
      async (before, afterIndex, during) => {
        const { connect, newConversation, post } = await openEdge();
        const conversationId = await newConversation();
        const other = await newConversation();
        const seqs = [1];
        for (const here of before) {
          const seq = await post(here ? conversationId : other, 'before');
          if (here) seqs.push(seq);
        }
        const after = Math.min(afterIndex, seqs.at(-1) ?? 0);
        const { request, socket } = connect();
        const joining = request({ op: 'join', conversationId, after });
        for (let n = 0; n < during; n++) seqs.push(await post(conversationId, 'during'));
        await joining;
        seqs.push(await post(conversationId, 'last'));
        await waitFor('the last', () => socket.of('event').at(-1)?.seq === seqs.at(-1), { everyMs: 1 });
        expect(socket.of('event').map(({ seq }) => seq)).toEqual(seqs.filter((seq) => seq > after));
        const links = socket.of('event').map(({ prev }) => prev);
        expect(links).toEqual(seqs.map((_, n) => seqs[n - 1] ?? 0).slice(-links.length));
      },
    ),
    { numRuns: 60 },
  );
});

test('everybody else in the conversation hears that somebody types, not more often than they can read it', async () => {
  const { connect, newConversation } = await openEdge();
  const conversationId = await newConversation();
  const [alice, bob, carol, outside] = [connect('alice'), connect('bob'), connect('carol'), connect('dave')];
  for (const { request } of [alice, bob, carol]) await request({ op: 'join', conversationId });
  const type = (who: typeof alice) => who.session.receive(JSON.stringify({ op: 'typing', conversationId }));
  type(alice);
  type(alice);
  type(outside);
  type(bob);
  const typing = (userId: string) => ({ op: 'typing', conversationId, userId });
  await waitFor('carol to hear both', () => carol.socket.of('typing').length === 2);
  expect(carol.socket.of('typing')).toEqual([typing('alice'), typing('bob')]);
  expect(alice.socket.of('typing')).toEqual([typing('bob')]);
  expect(bob.socket.of('typing')).toEqual([typing('alice')]);
  expect(outside.socket.frames).toEqual([]);
});

test('a user is online from the first socket to the last, counted once for each', async () => {
  const { connect, online } = await openEdge();
  const [first, second] = [connect('alice'), connect('alice')];
  expect(online).toEqual(['alice', 'alice']);
  first.disconnect();
  first.session.end();
  expect(online).toEqual(['alice']);
  second.disconnect();
  expect(online).toEqual([]);
});

test('marking as read is answered with how far the user has read', async () => {
  const { connect, newConversation, post } = await openEdge();
  const conversationId = await newConversation();
  const [first, second] = [await post(conversationId, 'one'), await post(conversationId, 'two')];
  const { request } = connect('bob');
  const read = (seq: number) => request({ op: 'read', conversationId, seq });
  expect(await read(second)).toEqual({ op: 'ack', id: 1, conversationId, seq: second });
  expect(await read(first)).toMatchObject({ seq: second });
  expect(await request({ op: 'read', conversationId })).toMatchObject({
    op: 'error',
    code: 'invalid_request',
  });
});

test('a join that is overtaken by a leave or by another join is answered, too', async () => {
  const { connect, newConversation, hub, post } = await openEdge();
  const conversationId = await newConversation();
  const { session, socket } = connect();
  const join = (id: number) => session.receive(JSON.stringify({ op: 'join', id, conversationId }));
  join(1);
  session.receive(JSON.stringify({ op: 'leave', id: 2, conversationId }));
  await waitFor('both answers', () => socket.frames.length === 2);
  expect(socket.frames.find(({ id }) => id === 1)).toMatchObject({
    op: 'error',
    code: 'conflict',
  });
  expect(hub.channels).toBe(0);
  join(3);
  join(4);
  await waitFor('all answers', () => socket.frames.length === 4);
  expect(socket.frames.find(({ id }) => id === 3)).toMatchObject({ op: 'error', code: 'conflict' });
  expect(socket.frames.find(({ id }) => id === 4)).toMatchObject({ op: 'joined' });
  const seq = await post(conversationId, 'for the join that counts');
  await waitFor('the event', () => socket.of('event').at(-1)?.seq === seq);
  session.receive(JSON.stringify({ op: 'leave', id: 5, conversationId }));
  await waitFor('nobody to follow', () => hub.channels === 0);
});
