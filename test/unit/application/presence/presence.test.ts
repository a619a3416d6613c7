import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PresenceOptions } from '../../../../src/application/presence/presence.ts';
import { PRESENCE_ANNOUNCEMENT_SUBJECT } from '../../../../src/contracts/events/subjects.ts';
import { MemorySignalBus } from '../../../../src/platform/signals/memorySignals.ts';
import type { Signal } from '../../../../src/ports/signals.ts';
import { type PresenceProcess, startPresence } from '../../../support/application/presenceProcesses.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

let time: ManualTime;
let bus: MemorySignalBus;
let processes: PresenceProcess[];

beforeEach(() => {
  time = new ManualTime();
  bus = new MemorySignalBus();
  processes = [];
});
afterEach(() => {
  for (const { presence } of processes) presence.stop();
  expect(time.pending).toBe(0);
});

/** Resolves when what it asks for at its start has arrived, so that later starts are all that asks. */
async function start(options: Partial<PresenceOptions> = {}): Promise<PresenceProcess> {
  const process = startPresence(bus, time, options);
  processes.push(process);
  await time.advance(0);
  return process;
}

const isFull = (signal: Signal) => signal.type === 'presence' && signal.full;
const announced = ({ sent }: PresenceProcess) => sent.filter(({ type }) => type === 'presence');
const rounds = ({ sent }: PresenceProcess) => sent.filter((signal) => isFull(signal) && 'last' in signal);
const usersNamed = (count: number) => Array.from({ length: count }, (_, n) => `user ${n}`);

describe('a user', () => {
  it('is online elsewhere 250 ms after the first socket is opened, and offline 250 ms after the last is closed', async () => {
    const [here, there] = [await start(), await start()];
    here.presence.connected('alice');
    here.presence.connected('alice');
    expect([here.presence.isOnline('alice'), there.presence.isOnline('alice')]).toEqual([true, false]);
    await time.advance(250);
    expect(there.presence.isOnline('alice')).toBe(true);
    here.presence.disconnected('alice');
    await time.advance(1_000);
    expect([here.presence.isOnline('alice'), there.presence.isOnline('alice')]).toEqual([true, true]);
    here.presence.disconnected('alice');
    expect(here.presence.isOnline('alice')).toBe(false);
    await time.advance(250);
    expect(there.presence.isOnline('alice')).toBe(false);
  });

  it('with sockets on several edges is online until the last of them is closed', async () => {
    const [one, two, api] = [await start(), await start(), await start()];
    one.presence.connected('alice');
    two.presence.connected('alice');
    await time.advance(250);
    one.presence.disconnected('alice');
    await time.advance(250);
    const everywhere = () => [one, two, api].map(({ presence }) => presence.isOnline('alice'));
    expect(everywhere()).toEqual([true, true, true]);
    two.presence.disconnected('alice');
    await time.advance(250);
    expect(everywhere()).toEqual([false, false, false]);
  });

  it('who comes and goes within 250 ms is not announced, nor is who goes and comes back', async () => {
    const here = await start();
    here.presence.connected('alice');
    here.presence.disconnected('alice');
    await time.advance(1_000);
    expect(announced(here)).toEqual([]);
    here.presence.connected('alice');
    await time.advance(250);
    here.presence.disconnected('alice');
    here.presence.connected('alice');
    await time.advance(1_000);
    expect(announced(here)).toHaveLength(1);
  });

  it('who has no socket cannot lose one', async () => {
    const here = await start();
    here.presence.disconnected('alice');
    here.presence.connected('alice');
    here.presence.disconnected('alice');
    here.presence.disconnected('alice');
    here.presence.connected('alice');
    expect(here.presence.isOnline('alice')).toBe(true);
  });

  it('may be called anything', async () => {
    const [here, there] = [await start(), await start()];
    const names = ['__proto__', 'constructor', 'a,b', '"\\', '😀'];
    expect(names.filter((name) => here.presence.isOnline(name))).toEqual([]);
    for (const name of names) here.presence.connected(name);
    await time.advance(250);
    expect(names.filter((name) => there.presence.isOnline(name))).toEqual(names);
  });
});

describe('a user whose last socket has closed', () => {
  const graceMs = 5_000;

  it('and who is back in time was never away, here or elsewhere', async () => {
    const [here, there] = [await start({ graceMs }), await start()];
    here.presence.connected('alice');
    await time.advance(250);
    for (let reload = 0; reload < 3; reload++) {
      here.presence.disconnected('alice');
      await time.advance(4_900);
      expect([here.presence.isOnline('alice'), there.presence.isOnline('alice')]).toEqual([true, true]);
      here.presence.connected('alice');
      await time.advance(10_000);
    }
    const offline = announced(here).filter((signal) => 'offline' in signal && signal.offline.length > 0);
    expect(offline).toEqual([]);
    expect([here.presence.isOnline('alice'), there.presence.isOnline('alice')]).toEqual([true, true]);
  });

  it('is offline once the time is over, and everywhere 250 ms later', async () => {
    const [here, there] = [await start({ graceMs }), await start()];
    for (const user of ['alice', 'bob']) here.presence.connected(user);
    await time.advance(250);
    here.presence.disconnected('alice');
    // One that was never opened, and one after the last, change nothing.
    here.presence.disconnected('alice');
    await time.advance(2_000);
    here.presence.disconnected('bob');
    await time.advance(3_500);
    expect(['alice', 'bob'].map((user) => here.presence.isOnline(user))).toEqual([false, true]);
    await time.advance(250);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([false, true]);
    await time.advance(2_500);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([false, false]);
  });

  it('and who has another one is not leaving', async () => {
    const here = await start({ graceMs });
    for (let socket = 0; socket < 2; socket++) here.presence.connected('alice');
    here.presence.disconnected('alice');
    await time.advance(20_000);
    expect(here.presence.isOnline('alice')).toBe(true);
    here.presence.disconnected('alice');
    await time.advance(5_500);
    expect(here.presence.isOnline('alice')).toBe(false);
  });

  it('is announced as gone at once when the process stops', async () => {
    const [here, there] = [await start({ graceMs }), await start()];
    here.presence.connected('alice');
    await time.advance(250);
    here.presence.disconnected('alice');
    here.presence.stop();
    await time.advance(0);
    expect(there.presence.isOnline('alice')).toBe(false);
  });
});

describe('announcements', () => {
  it('name at most 500 users each, and all of them', async () => {
    const [here, there] = [await start(), await start()];
    const users = usersNamed(1_201);
    for (const user of users) here.presence.connected(user);
    await time.advance(250);
    const sizes = announced(here).map((signal) => 'online' in signal && signal.online.length);
    expect(sizes).toEqual([500, 500, 201]);
    expect(users.every((user) => there.presence.isOnline(user))).toBe(true);
    await time.advance(20_000);
    expect(rounds(here)).toMatchObject([
      { part: 0, last: false },
      { part: 1, last: false },
      { part: 2, last: true },
    ]);
    expect(users.every((user) => there.presence.isOnline(user))).toBe(true);
  });

  it('of everybody are repeated every 20 s, give or take a fifth', async () => {
    const [early, late] = [await start({ random: () => 0 }), await start({ random: () => 0.999 })];
    early.presence.connected('alice');
    late.presence.connected('bob');
    await time.advance(15_999);
    expect([rounds(early).length, rounds(late).length]).toEqual([0, 0]);
    await time.advance(1);
    expect([rounds(early).length, rounds(late).length]).toEqual([1, 0]);
    await time.advance(8_000);
    expect([rounds(early).length, rounds(late).length]).toEqual([1, 1]);
    await time.advance(240_000);
    expect([rounds(early).length, rounds(late).length]).toEqual([16, 11]);
  });

  it('of very many users go out 8,000 at a time, and what changes meanwhile is right', async () => {
    const [here, there] = [await start(), await start()];
    const users = usersNamed(20_000);
    for (const user of users) here.presence.connected(user);
    await time.advance(20_000);
    expect(rounds(here)).toHaveLength(16);
    here.presence.disconnected('user 3');
    here.presence.disconnected('user 19999');
    here.presence.connected('late');
    await time.advance(500);
    // Whom the round had named and who left, and who came: 20,000, and a part that says that there are no more.
    expect(rounds(here)).toHaveLength(41);
    expect(['user 3', 'user 19999', 'late'].map((user) => there.presence.isOnline(user))).toEqual([
      false,
      false,
      true,
    ]);
    expect(there.presence.usersRemembered).toBe(19_999);
  });

  it('of a round never name somebody whose coming was not told, so that leaving right after is', async () => {
    const [here, there] = [await start(), await start()];
    here.presence.connected('alice');
    await time.advance(19_900);
    here.presence.connected('bob');
    await time.advance(100);
    expect(rounds(here)).toHaveLength(1);
    here.presence.disconnected('bob');
    await time.advance(250);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([true, false]);
  });

  it('are not made by a process that never had a socket', async () => {
    const api = await start();
    await start();
    await time.advance(120_000);
    expect(api.sent).toEqual([{ type: 'presenceRequest' }]);
  });
});

describe('a process that starts', () => {
  it('knows everybody within half a second, and the others answer at different times', async () => {
    const edges = [await start({ random: () => 0.1 }), await start({ random: () => 0.9 })];
    for (const [n, { presence }] of edges.entries()) presence.connected(`user ${n}`);
    await time.advance(5_000);
    const { presence } = await start();
    const known = () => ['user 0', 'user 1'].map((user) => presence.isOnline(user));
    await time.advance(49);
    expect(known()).toEqual([false, false]);
    await time.advance(1);
    expect(known()).toEqual([true, false]);
    await time.advance(400);
    expect(known()).toEqual([true, true]);
  });

  it('in the middle of a round is told everybody once more', async () => {
    const here = await start();
    for (const user of usersNamed(9_000)) here.presence.connected(user);
    await time.advance(20_000);
    const { presence } = await start();
    await time.advance(250);
    expect(presence.usersRemembered).toBeLessThan(9_000);
    await time.advance(1_500);
    expect(presence.usersRemembered).toBe(9_000);
  });

  it('costs an edge no more than a round a second, however many start', async () => {
    const here = await start();
    here.presence.connected('alice');
    await time.advance(5_000);
    for (let n = 0; n < 100; n++) {
      await start();
      await time.advance(50);
    }
    expect(rounds(here).length).toBeGreaterThanOrEqual(4);
    expect(rounds(here).length).toBeLessThanOrEqual(6);
  });
});

describe('what gets lost', () => {
  it('of arrivals and departures is made good by the next round', async () => {
    const [here, there] = [await start(), await start()];
    here.presence.connected('alice');
    await time.advance(250);
    there.signals.loses = () => true;
    here.presence.disconnected('alice');
    here.presence.connected('bob');
    await time.advance(250);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([true, false]);
    there.signals.loses = () => false;
    await time.advance(20_000);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([false, true]);
  });

  it.each([0, 1, 2])('of a round (part %d) makes nobody disappear', async (lostPart) => {
    const [here, there] = [await start(), await start()];
    const users = usersNamed(1_201);
    for (const user of users) here.presence.connected(user);
    await time.advance(250);
    there.signals.loses = (signal) => isFull(signal) && 'part' in signal && signal.part === lostPart;
    await time.advance(20_000);
    expect(rounds(here)).toHaveLength(3);
    expect(users.filter((user) => !there.presence.isOnline(user))).toEqual([]);
  });

  it('by a whole edge makes its users offline after a minute, and not before', async () => {
    const [here, there] = [await start(), await start()];
    here.presence.connected('alice');
    await time.advance(250);
    here.signals.loses = () => true;
    await time.advance(60_000 - 1);
    expect(there.presence.isOnline('alice')).toBe(true);
    await time.advance(5_000);
    expect(there.presence.isOnline('alice')).toBe(false);
    here.signals.loses = () => false;
    await time.advance(24_000);
    expect(there.presence.isOnline('alice')).toBe(true);
  });

  it('while the connection is away is asked for and told again on a refresh', async () => {
    const [one, two] = [await start(), await start()];
    one.presence.connected('alice');
    two.presence.connected('bob');
    await time.advance(250);
    bus.interrupted = true;
    one.presence.disconnected('alice');
    two.presence.connected('carol');
    await time.advance(2_000);
    bus.interrupted = false;
    one.presence.refresh();
    await time.advance(500);
    expect(two.presence.isOnline('alice')).toBe(false);
    expect(one.presence.isOnline('carol')).toBe(true);
  });

  it('by a clock that is set makes nobody disappear', async () => {
    const [here, there] = [await start(), await start()];
    here.presence.connected('alice');
    await time.advance(250);
    time.setClock(3_600_000);
    await time.advance(10_000);
    expect(there.presence.isOnline('alice')).toBe(true);
  });
});

describe('stopping', () => {
  it('tells everybody at once that nobody is here any more, and changes nothing afterwards', async () => {
    const [here, there] = [await start(), await start()];
    for (const user of usersNamed(1_000)) here.presence.connected(user);
    await time.advance(250);
    here.presence.stop();
    await time.advance(0);
    expect(there.presence.usersRemembered).toBe(0);
    const sent = here.sent.length;
    here.presence.disconnected('user 1');
    here.presence.connected('user 2');
    here.presence.refresh();
    here.presence.stop();
    await time.advance(60_000);
    expect(here.sent).toHaveLength(sent);
    expect(here.presence.isOnline('user 2')).toBe(false);
  });
});

describe('memory', () => {
  it('holds no more users than it may: those known for longest are dropped, and counted', async () => {
    const [here, there] = [await start(), await start({ usersMax: 3 })];
    for (const user of usersNamed(5)) here.presence.connected(user);
    await time.advance(250);
    expect(usersNamed(5).map((user) => there.presence.isOnline(user))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect([there.presence.usersRemembered, there.presence.usersDropped]).toEqual([3, 2]);
  });

  it('holds no more edges than it may, and takes another once there is room', async () => {
    const [one, two, there] = [await start(), await start(), await start({ edgesMax: 1 })];
    one.presence.connected('alice');
    await time.advance(250);
    two.presence.connected('bob');
    await time.advance(250);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([true, false]);
    expect(there.presence.usersDropped).toBe(1);
    one.presence.stop();
    await time.advance(24_000);
    expect(['alice', 'bob'].map((user) => there.presence.isOnline(user))).toEqual([false, true]);
  });

  it('is not touched by announcements that are malformed or huge', async () => {
    const { presence } = await start();
    const users = usersNamed(501);
    const place = { type: 'presence', full: true, edgeId: 'e', round: 1, part: 0, last: true };
    const strange: unknown[] = [
      null,
      [],
      { ...place, online: users },
      { ...place, online: ['x'.repeat(1_000_000)] },
      { ...place, online: [''] },
      { ...place, online: 'alice' },
      { ...place, part: -1, online: ['alice'] },
      { ...place, round: 1e300, online: ['alice'] },
      { ...place, edgeId: '', online: ['alice'] },
      { type: 'presence', full: false, edgeId: 'e', online: users.slice(0, 300), offline: users.slice(300) },
    ];
    for (const each of strange) bus.send(PRESENCE_ANNOUNCEMENT_SUBJECT, Buffer.from(JSON.stringify(each)));
    await time.advance(250);
    expect(presence.usersRemembered).toBe(0);
    const sane = Buffer.from(JSON.stringify({ ...place, online: ['alice'] }));
    bus.send(PRESENCE_ANNOUNCEMENT_SUBJECT, sane);
    await time.advance(250);
    expect(presence.isOnline('alice')).toBe(true);
  });
});
