import { expect, test } from 'vitest';
import type { AckFrame, SendFrame } from '../../../client/src/protocol.ts';
import type { FakeWebSocket } from '../../support/client/fakeWebSocket.ts';
import { sdkClient } from '../../support/client/sdkClient.ts';
import { C1, M1 } from '../../support/domain/conversations.ts';

function sender(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = sdkClient(options);
  const room = system.chat.join(C1);
  return { ...system, room };
}

function openSender(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = sender(options);
  system.last().accept();
  return system;
}

const ack = ({ id }: { id: number }, more: Partial<AckFrame> = {}): AckFrame => {
  return { op: 'ack', id, messageId: M1, seq: id, level: 'accepted', duplicate: false, ...more };
};

/** The latest `send` of a message. */
function latest(socket: FakeWebSocket, clientMessageId: string): SendFrame {
  const frame = socket.of('send').findLast((each) => each.clientMessageId === clientMessageId);
  if (frame === undefined) throw new Error(`${clientMessageId} was not sent`);
  return frame;
}

const refusal = ({ id }: { id: number }, code: string, more: object = {}) =>
  ({ op: 'error', id, code, retryable: true, retryAfterMs: 1_000, ...more }) as const;

const names = (socket: FakeWebSocket) => socket.of('send').map(({ clientMessageId }) => clientMessageId);

test('a message is sent once connected, and is accepted when the server says so', async () => {
  const { chat, room, last } = sender();
  const message = room.send('hello', { replyTo: M1 });
  const states: string[] = [];
  message.onState((state) => states.push(state));
  expect(message).toMatchObject({ state: 'sending', clientMessageId: 'k1', seq: null, messageId: null });
  expect(chat.pending).toBe(1);
  last().accept();
  expect(last().of('send')).toEqual([
    { op: 'send', id: 2, conversationId: C1, clientMessageId: 'k1', content: 'hello', replyTo: M1 },
  ]);
  last().say(ack({ id: 2 }, { seq: 138, duplicate: true }));
  expect(message).toMatchObject({ state: 'accepted', messageId: M1, seq: 138, duplicate: true, error: null });
  expect(await message.settled).toBe(message);
  expect(states).toEqual(['accepted']);
  expect(chat.pending).toBe(0);
});

test('a message names its files, also when the app has changed its list since', () => {
  const { room, last } = sender();
  const attachments = ['u_AAAAAAAAAAAAAAAAAAAAA', 'u_BBBBBBBBBBBBBBBBBBBBB'];
  room.send('1', { attachments });
  room.send('2', { attachments: [] });
  attachments.pop();
  last().accept();
  const [first, second] = last().of('send');
  expect(first?.attachments).toEqual(['u_AAAAAAAAAAAAAAAAAAAAA', 'u_BBBBBBBBBBBBBBBBBBBBB']);
  expect(second).not.toHaveProperty('attachments');
});

test('a message may be files alone', () => {
  const { room, last } = openSender();
  room.send('', { attachments: ['u_AAAAAAAAAAAAAAAAAAAAA'] });
  expect(last().of('send')).toMatchObject([{ content: '', attachments: ['u_AAAAAAAAAAAAAAAAAAAAA'] }]);
});

test('what is to be durable says so, and its state tells what came of it', async () => {
  const { room, last } = openSender();
  const message = room.send('1', { level: 'durable' });
  room.send('2', { level: 'accepted' });
  expect(last().of('send')).toMatchObject([
    { clientMessageId: 'k1', level: 'durable' },
    { clientMessageId: 'k2' },
  ]);
  expect(last().of('send')[1]).not.toHaveProperty('level');
  last().say(ack(latest(last(), 'k1'), { level: 'durable' }));
  expect(await message.settled).toMatchObject({ state: 'durable' });
});

test('an ack may say durable at once, or later', () => {
  const { room, last } = openSender();
  const [first, second] = [room.send('1'), room.send('2')];
  const states: string[] = [];
  second.onState((state) => states.push(state));
  last().say(ack(latest(last(), 'k1'), { level: 'durable' }));
  last().say(ack(latest(last(), 'k2')));
  last().say(ack(latest(last(), 'k2')));
  last().say(ack(latest(last(), 'k2'), { level: 'durable' }));
  last().say(ack(latest(last(), 'k2')));
  expect(first.state).toBe('durable');
  expect(second.state).toBe('durable');
  expect(states).toEqual(['accepted', 'durable']);
});

test('the frame has the fields in the order that the server reads fastest', () => {
  const { room, last } = openSender();
  room.send('hello');
  expect(JSON.stringify(last().of('send')[0])).toMatch(
    /^\{"op":"send","id":\d+,"conversationId":"[^"]+","clientMessageId":"k1","content":"hello"\}$/,
  );
});

test('what was not acknowledged is sent again, in order and under the same ids, after every reconnect', () => {
  const { chat, room, last, reconnect } = openSender();
  for (const content of ['1', '2', '3']) room.send(content);
  last().say(ack(latest(last(), 'k2')));
  reconnect();
  room.send('4');
  expect(names(last())).toEqual(['k1', 'k3', 'k4']);
  reconnect();
  expect(names(last())).toEqual(['k1', 'k3', 'k4']);
  for (const name of ['k1', 'k3', 'k4']) last().say(ack(latest(last(), name)));
  reconnect();
  expect(names(last())).toEqual([]);
  expect(chat.pending).toBe(0);
});

test('an answer from before the connection was lost is not taken for one of now', () => {
  const { room, last, reconnect } = openSender();
  const message = room.send('1');
  const before = latest(last(), 'k1');
  reconnect();
  last().say(ack(before));
  expect(message.state).toBe('sending');
});

test('no more than the window are on their way, and each ack lets one more go', () => {
  const { room, last } = openSender({ sendWindowMax: 3 });
  for (let n = 1; n <= 6; n++) room.send(`${n}`);
  expect(names(last())).toEqual(['k1', 'k2', 'k3']);
  last().say(ack(latest(last(), 'k2')));
  expect(names(last())).toEqual(['k1', 'k2', 'k3', 'k4']);
});

test('more than the queue holds is refused at once, until there is room again', () => {
  const { chat, room, last } = openSender({ sendQueueMax: 2 });
  room.send('1');
  room.send('2');
  expect(() => room.send('3')).toThrow(expect.objectContaining({ name: 'SendQueueFullError' }));
  expect(chat.pending).toBe(2);
  last().say(ack(latest(last(), 'k1')));
  room.send('4');
  expect(chat.pending).toBe(2);
});

test.each(['log_unavailable', 'overloaded', 'unknown_outcome', 'rate_limited'])(
  'after %s the same message is sent again when the server asked for, and nothing overtakes it',
  (code) => {
    const { room, last, clock } = openSender({ retryDelayMsBase: 200 });
    const message = room.send('1');
    last().say(refusal(latest(last(), 'k1'), code, { retryable: code !== 'rate_limited' }));
    room.send('2');
    clock.advance(1_099);
    expect(names(last())).toEqual(['k1']);
    clock.advance(1);
    expect(names(last())).toEqual(['k1', 'k1', 'k2']);
    last().say(ack(latest(last(), 'k1')));
    expect(message.state).toBe('accepted');
  },
);

test('delays grow with every refusal in a row, and one fault that refuses many counts once', () => {
  const { room, last, clock } = openSender({ retryDelayMsBase: 200, retryDelayMsMax: 600 });
  for (let n = 1; n <= 10; n++) room.send(`${n}`);
  for (const delayMs of [100, 200, 300, 300]) {
    const sent = last().of('send').slice(-10);
    expect(sent).toHaveLength(10);
    for (const frame of sent) last().say(refusal(frame, 'log_unavailable', { retryAfterMs: undefined }));
    const before = last().of('send').length;
    clock.advance(delayMs - 1);
    expect(last().of('send')).toHaveLength(before);
    clock.advance(1);
    expect(last().of('send')).toHaveLength(before + 10);
  }
  expect(names(last()).slice(-10)).toEqual(names(last()).slice(0, 10));
});

test('what can never succeed fails at once with what the server said; the others go on', async () => {
  const { room, last } = openSender();
  const [bad, good] = [room.send('1'), room.send('2')];
  const errors = [{ path: 'replyTo', reason: 'no such message' }];
  last().say({ op: 'error', id: latest(last(), 'k1').id, code: 'invalid_request', retryable: false, errors });
  await expect(bad.settled).rejects.toMatchObject({
    name: 'RequestRefusedError',
    code: 'invalid_request',
    errors,
  });
  expect(bad.state).toBe('failed');
  expect(bad.error?.message).toMatch(/^The message k1 to c_A+ was refused with invalid_request/);
  last().say(ack(latest(last(), 'k2')));
  expect(good.state).toBe('accepted');
});

test('a message fails at its deadline, connected or not, with the last reason it was refused for', async () => {
  const { chat, room, last, clock } = openSender({ sendDeadlineMs: 60_000 });
  const refused = room.send('1');
  last().onSent = (frame) => {
    if (frame.op === 'send') last().say(refusal(frame, 'log_unavailable'));
  };
  last().say(refusal(latest(last(), 'k1'), 'log_unavailable'));
  clock.advance(20_000);
  last().say({ op: 'draining', retryAfterMs: 1_000 });
  const offline = room.send('2');
  clock.advance(39_999);
  expect(refused.state).toBe('sending');
  clock.advance(1);
  expect(refused.error).toMatchObject({ name: 'DeliveryTimeoutError', cause: { code: 'log_unavailable' } });
  expect(refused.error?.message).toContain('within 60000 ms');
  expect(offline.state).toBe('sending');
  clock.advance(20_000);
  await expect(offline.settled).rejects.toThrow(/same clientMessageId is safe/);
  expect(chat.pending).toBe(0);
});

/** A message that was on its way when the device fell asleep, for longer than its deadline. */
function slept() {
  const system = openSender({
    sendDeadlineMs: 60_000,
    answerTimeoutMs: 15_000,
    pingIntervalMs: 9_000,
    pongTimeoutMs: 5_000,
  });
  const message = system.room.send('1');
  system.clock.sleep(3_600_000);
  expect(message.state).toBe('sending');
  return { ...system, message };
}

test('a message whose deadline passed in sleep is tried once more when the network is back', async () => {
  const { clock, last, sockets, message } = slept();
  // The socket from before is dead, which is noticed by the ping.
  const before = sockets.length;
  for (let step = 0; sockets.length === before && step < 1_000; step++) clock.advance(50);
  clock.advance(9_000);
  last().accept();
  last().say(ack(latest(last(), 'k1')));
  expect(await message.settled).toMatchObject({ state: 'accepted' });
});

test('it fails when that attempt is not answered, or no network comes back', async () => {
  const tried = slept();
  tried.reconnect();
  expect(names(tried.last())).toEqual(['k1']);
  tried.last().onSent = (frame) => frame.op === 'ping' && tried.last().say({ op: 'pong', id: frame.id });
  tried.clock.advance(15_000);
  await expect(tried.message.settled).rejects.toThrow(/same clientMessageId is safe/);
  const offline = slept();
  offline.last().end();
  offline.clock.advance(299_999);
  expect(offline.message.state).toBe('sending');
  offline.clock.advance(1);
  await expect(offline.message.settled).rejects.toThrow(/same clientMessageId is safe/);
});

test('a message without an answer is sent again, and a late answer to either will do', () => {
  const { room, last, clock } = openSender({ answerTimeoutMs: 15_000 });
  const message = room.send('1');
  const first = latest(last(), 'k1');
  last().onSent = (frame) => frame.op === 'ping' && last().say({ op: 'pong', id: frame.id });
  clock.advance(15_000);
  expect(names(last())).toEqual(['k1', 'k1']);
  last().say(ack(first));
  expect(message.state).toBe('accepted');
});

test('a receipt is acknowledged, repeated and refused as a message is', async () => {
  const { room, last, reconnect } = openSender();
  const acked = room.read(7);
  reconnect();
  const [frame] = last().of('read');
  expect(frame).toMatchObject({ op: 'read', conversationId: C1, seq: 7 });
  last().say({ op: 'ack', id: frame?.id ?? 0 });
  await expect(acked).resolves.toMatchObject({ op: 'ack' });
  const refused = room.read(8);
  last().say({ op: 'error', id: last().of('read')[1]?.id ?? 0, code: 'not_found', retryable: false });
  await expect(refused).rejects.toThrow(/^The receipt for c_A+ up to 8 was refused/);
});

test('closing fails what is pending, and takes nothing more', async () => {
  const { chat, room, clock } = openSender();
  const message = room.send('1');
  const read = room.read(1);
  chat.close();
  await expect(message.settled).rejects.toMatchObject({ name: 'ClientClosedError' });
  await expect(read).rejects.toMatchObject({ name: 'ClientClosedError' });
  expect(chat.pending).toBe(0);
  expect(() => room.send('2')).toThrow(/client was closed/);
  expect(() => chat.join(C1)).toThrow(/client was closed/);
  expect(clock.timers).toBe(0);
});

test('a refused client fails what is pending with the reason', async () => {
  const { room, last } = openSender();
  const message = room.send('1');
  last().end(4003);
  await expect(message.settled).rejects.toMatchObject({ name: 'ConnectionRefusedError', closeCode: 4003 });
});

test('a draining server gets nothing more, and still acknowledges what it has', () => {
  const { room, last, clock } = openSender();
  const first = room.send('1');
  const old = last();
  old.say({ op: 'draining', retryAfterMs: 1_000 });
  room.send('2');
  expect(names(old)).toEqual(['k1']);
  old.say(ack(latest(old, 'k1')));
  expect(first.state).toBe('accepted');
  clock.advance(1_000);
  last().accept();
  expect(names(last())).toEqual(['k2']);
});

test('sending goes on in a room that was left', () => {
  const { room, last, reconnect } = openSender();
  room.send('1');
  room.leave();
  reconnect();
  expect(names(last())).toEqual(['k1']);
});

test('an error that belongs to nothing is told to the app', () => {
  const { chat, last } = openSender();
  const errors: unknown[] = [];
  chat.on('error', (error) => errors.push(error));
  last().say({
    op: 'error',
    id: null,
    code: 'invalid_request',
    detail: 'The frame is not JSON.',
    retryable: false,
  });
  expect(errors).toMatchObject([{ code: 'invalid_request' }]);
});

test.each([
  ['', {}],
  ['', { attachments: [] }],
  ['x'.repeat(8_001), {}],
  ['a\0b', {}],
  ['a\ud800', {}],
  ['hi', { clientMessageId: '' }],
  ['hi', { clientMessageId: 'x'.repeat(129) }],
  ['hi', { replyTo: 'm_1' }],
  ['hi', { attachments: ['u_1'] }],
])('what the server would refuse is not sent: %j %j', (content, options) => {
  const { chat, room, last } = openSender();
  expect(() => room.send(content, options)).toThrow(
    expect.objectContaining({ name: 'InvalidArgumentError' }),
  );
  expect(chat.pending).toBe(0);
  expect(last().of('send')).toEqual([]);
});

test('the longest message has 8,000 characters, however many units each takes', () => {
  const { room, last } = openSender();
  room.send('😀'.repeat(8_000));
  expect(last().of('send')).toHaveLength(1);
});
