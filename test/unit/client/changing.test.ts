import { describe, expect, it, test } from 'vitest';
import type { ChangedFrame, ClientFrame } from '../../../client/src/protocol.ts';
import type { FakeWebSocket } from '../../support/client/fakeWebSocket.ts';
import { sdkClient } from '../../support/client/sdkClient.ts';
import { C1, M1 } from '../../support/domain/conversations.ts';

function offlineRoom(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = sdkClient(options);
  return { ...system, room: system.chat.join(C1) };
}

function openRoom(options: Parameters<typeof sdkClient>[0] = {}) {
  const system = offlineRoom(options);
  system.last().accept();
  return system;
}

const changed = ({ id }: { id: number }, more: Partial<ChangedFrame> = {}): ChangedFrame => {
  return {
    op: 'changed',
    id,
    messageId: M1,
    seq: 139,
    position: 'e1:139',
    at: '2026-11-23T10:30:15.123Z',
    ...more,
  };
};

/** The latest frame of the kind. */
function latest<Op extends ClientFrame['op']>(socket: FakeWebSocket, op: Op) {
  const frame = socket.of(op).at(-1);
  if (frame === undefined) throw new Error(`No ${op} was sent`);
  return frame;
}

const unknown = {
  name: 'OutcomeUnknownError',
  message: expect.stringMatching(/may have been done.*harmless as long as the same user changed nothing/),
};

test('every change is sent as it was asked for, and resolves with where it is in the log', async () => {
  const { room, last } = openRoom();
  const target = { conversationId: C1, messageId: M1 };
  const cases = [
    [room.edit(M1, 'better', { seq: 7 }), { op: 'edit', ...target, seq: 7, content: 'better' }],
    [room.edit(M1, 'best'), { op: 'edit', ...target, content: 'best' }],
    [room.delete(M1), { op: 'delete', ...target }],
    [room.delete(M1, { erase: true, seq: 7 }), { op: 'delete', ...target, seq: 7, erase: true }],
    [room.react(M1, '👍'), { op: 'react', ...target, emoji: '👍' }],
    [room.unreact(M1, '👍', { seq: 7 }), { op: 'unreact', ...target, seq: 7, emoji: '👍' }],
  ] as const;
  const sent = last().sent.slice(1);
  expect(sent).toEqual(cases.map(([, frame], n) => ({ ...frame, id: n + 2 })));
  for (const [n, [answer]] of cases.entries()) {
    last().say(changed({ id: n + 2 }, { seq: n, erased: 1 }));
    expect(await answer).toEqual(changed({ id: n + 2 }, { seq: n, erased: 1 }));
  }
});

test('answers in another order each reach what they answer', async () => {
  const { chat, room, last } = openRoom();
  const [first, second] = [room.edit(M1, '1'), room.edit(M1, '2')];
  const [one, two] = last().of('edit');
  last().say(changed(two ?? { id: 0 }, { seq: 2 }));
  last().say(changed(one ?? { id: 0 }, { seq: 1 }));
  expect(await Promise.all([first, second])).toMatchObject([{ seq: 1 }, { seq: 2 }]);
  expect(chat.pending).toBe(0);
});

test('a change that was on its way when the connection was lost is not sent again, and its outcome is unknown', async () => {
  const { chat, room, last, reconnect } = openRoom();
  const edited = room.edit(M1, 'better');
  reconnect();
  expect(last().of('edit')).toEqual([]);
  await expect(edited).rejects.toMatchObject(unknown);
  await expect(edited).rejects.toThrow(
    /^Editing m_A+ in c_A+ has an unknown outcome: the connection was lost before/,
  );
  expect(chat.pending).toBe(0);
});

test('a change that was asked for without a connection is sent once there is one', async () => {
  const { chat, room, last, reconnect } = offlineRoom();
  const edited = room.edit(M1, 'better');
  expect(last().sent).toEqual([]);
  expect(chat.pending).toBe(1);
  reconnect();
  last().say(changed(latest(last(), 'edit')));
  await expect(edited).resolves.toMatchObject({ seq: 139 });
});

test('a question alone makes the client connect', () => {
  const { chat, sockets } = sdkClient();
  chat.presence(['bob']);
  expect(sockets).toHaveLength(1);
});

test('a change that never found a connection fails in time, and was certainly not made', async () => {
  const { room, clock, last } = offlineRoom({ requestTimeoutMs: 2_000, connectTimeoutMs: 60_000 });
  const edited = room.edit(M1, 'better');
  clock.advance(1_999);
  const later = room.react(M1, '👍');
  clock.advance(1);
  await expect(edited).rejects.toMatchObject({
    name: 'RequestTimeoutError',
    message: expect.stringMatching(/within 2000 ms.*Nothing was changed/),
  });
  last().accept();
  expect(last().sent.map(({ op }) => op)).toEqual(['join', 'react']);
  last().say(changed(latest(last(), 'react')));
  await expect(later).resolves.toMatchObject({ seq: 139 });
});

test('a change without an answer is given up in time, and what is said of it later belongs to nobody', async () => {
  const { chat, room, clock, last } = openRoom({ requestTimeoutMs: 2_000 });
  const errors: unknown[] = [];
  chat.on('error', (error) => errors.push(error));
  const [edited, deleted] = [room.edit(M1, 'better'), room.delete(M1)];
  clock.advance(2_000);
  await expect(edited).rejects.toMatchObject(unknown);
  await expect(deleted).rejects.toThrow(/no answer came within 2000 ms/);
  last().say(changed(latest(last(), 'edit')));
  last().say({ op: 'error', id: latest(last(), 'delete').id, code: 'not_found', retryable: false });
  expect(errors).toMatchObject([{ code: 'not_found' }]);
  expect(last().of('edit')).toHaveLength(1);
});

describe('what the server refuses', () => {
  it('fails with what the server said, and is not sent again even if that may help', async () => {
    const { chat, room, last, clock } = openRoom({ requestTimeoutMs: 60_000 });
    const [forbidden, busy] = [room.edit(M1, 'better'), room.react(M1, '👍')];
    const refusal = { op: 'error', code: 'forbidden', detail: 'Not yours.', retryable: false } as const;
    last().say({ ...refusal, id: latest(last(), 'edit').id });
    const { id } = latest(last(), 'react');
    last().say({ op: 'error', id, code: 'log_unavailable', retryable: true, retryAfterMs: 1_000 });
    await expect(forbidden).rejects.toMatchObject({ name: 'RequestRefusedError', code: 'forbidden' });
    await expect(busy).rejects.toMatchObject({ code: 'log_unavailable', retryAfterMs: 1_000 });
    clock.advance(20_000);
    expect(last().of('react')).toHaveLength(1);
    expect(chat.pending).toBe(0);
  });

  it('has an unknown outcome when the server says so', async () => {
    const { room, last } = openRoom();
    const edited = room.edit(M1, 'better');
    last().say({ op: 'error', id: latest(last(), 'edit').id, code: 'unknown_outcome', retryable: true });
    await expect(edited).rejects.toMatchObject({ ...unknown, cause: { code: 'unknown_outcome' } });
  });
});

test('no more than requestsMax are taken, until there is room again', async () => {
  const { chat, room, last } = openRoom({ requestsMax: 2 });
  room.react(M1, '1');
  chat.presence(['bob']);
  const full = expect.objectContaining({ name: 'RequestQueueFullError' });
  expect(() => room.react(M1, '2')).toThrow(full);
  expect(() => chat.presence(['bob'])).toThrow(full);
  expect(chat.pending).toBe(2);
  last().say(changed(latest(last(), 'react')));
  room.react(M1, '3');
  expect(
    last()
      .of('react')
      .map(({ emoji }) => emoji),
  ).toEqual(['1', '3']);
});

test('a draining server gets no more changes, and still answers what it has', async () => {
  const { room, last, clock } = openRoom();
  const first = room.edit(M1, '1');
  const old = last();
  old.say({ op: 'draining', retryAfterMs: 1_000 });
  const second = room.edit(M1, '2');
  old.say(changed(latest(old, 'edit')));
  await expect(first).resolves.toMatchObject({ seq: 139 });
  clock.advance(1_000);
  last().accept();
  expect(old.of('edit')).toHaveLength(1);
  last().say(changed(latest(last(), 'edit')));
  await expect(second).resolves.toMatchObject({ seq: 139 });
});

describe('closing', () => {
  it('leaves what was on its way unknown, and fails what waited', async () => {
    const { chat, room, last, clock } = openRoom();
    const sent = room.edit(M1, '1');
    last().say({ op: 'draining', retryAfterMs: 1_000 });
    const waiting = room.edit(M1, '2');
    chat.close();
    await expect(sent).rejects.toMatchObject(unknown);
    await expect(waiting).rejects.toMatchObject({ name: 'ClientClosedError' });
    expect(chat.pending).toBe(0);
    expect(clock.timers).toBe(0);
    expect(() => room.edit(M1, '3')).toThrow(/client was closed/);
    expect(() => chat.presence(['bob'])).toThrow(/client was closed/);
  });

  it('by the server fails what waited with its reason', async () => {
    const { room, last } = offlineRoom();
    const waiting = room.edit(M1, '1');
    last().end(4003);
    await expect(waiting).rejects.toMatchObject({ name: 'ConnectionRefusedError' });
  });
});

describe('asking who is online', () => {
  it('resolves with the state of everyone', async () => {
    const { chat, last } = openRoom();
    const presence = chat.presence(['bob', 'eve']);
    const { id } = latest(last(), 'presence');
    expect(last().of('presence')).toEqual([{ op: 'presence', id, userIds: ['bob', 'eve'] }]);
    last().say({ op: 'presence', id, presence: { bob: 'online', eve: 'offline' } });
    expect(await presence).toEqual({ bob: 'online', eve: 'offline' });
  });

  it('is repeated after a lost connection, because it changes nothing', async () => {
    const { chat, last, reconnect } = openRoom();
    const presence = chat.presence(['bob']);
    const { id: before } = latest(last(), 'presence');
    reconnect();
    const { id } = latest(last(), 'presence');
    last().say({ op: 'presence', id: before, presence: { bob: 'offline' } });
    last().say({ op: 'presence', id, presence: { bob: 'online' } });
    expect(await presence).toEqual({ bob: 'online' });
  });

  it('is given up in time, and an answer to something else is none', async () => {
    const { chat, last, clock } = openRoom({ requestTimeoutMs: 2_000 });
    const presence = chat.presence(['bob']);
    last().say(changed(latest(last(), 'presence')));
    expect(chat.pending).toBe(1);
    clock.advance(2_000);
    await expect(presence).rejects.toMatchObject({ name: 'RequestTimeoutError' });
  });
});

test.each([
  ['messageId', 'm_1', '👍', {}],
  ['emoji', M1, '', {}],
  ['emoji', M1, 'thumbs up', {}],
  ['seq', M1, '👍', { seq: -1 }],
] as const)('a reaction with a wrong %s is not sent: %j %j %j', (argument, messageId, emoji, options) => {
  const { chat, room, last } = openRoom();
  const invalid = expect.objectContaining({ name: 'InvalidArgumentError', argument });
  expect(() => room.react(messageId, emoji, options)).toThrow(invalid);
  expect(() => room.unreact(messageId, emoji, options)).toThrow(invalid);
  expect(chat.pending).toBe(0);
  expect(last().sent).toHaveLength(1);
});

test('what the server would refuse is not sent', () => {
  const { chat, room } = openRoom();
  const invalid = expect.objectContaining({ name: 'InvalidArgumentError' });
  expect(() => room.edit(M1, '')).toThrow(invalid);
  expect(() => room.edit('m_1', 'better')).toThrow(invalid);
  expect(() => room.delete('m_1')).toThrow(invalid);
  expect(() => chat.presence([])).toThrow(invalid);
  expect(() => chat.presence(['bob', ''])).toThrow(/^userIds\.1 must be/);
  expect(() => chat.join('*').edit(M1, 'better')).toThrow(invalid);
  expect(chat.pending).toBe(0);
});
