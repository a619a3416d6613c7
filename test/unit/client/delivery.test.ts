import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { EventFrame } from '../../../client/src/protocol.ts';
import { ModelServer } from '../../support/client/modelServer.ts';
import { sdkClient } from '../../support/client/sdkClient.ts';
import { C1, M1 } from '../../support/domain/conversations.ts';

type Action =
  | { do: 'say' | 'others' | 'take' | 'deliver' | 'repeat' | 'refuse' | 'wait'; n: number }
  | { do: 'lose' | 'drop' | 'restart' };

const counted = (...names: ('say' | 'others' | 'take' | 'deliver' | 'repeat')[]) =>
  fc.record({ do: fc.constantFrom(...names), n: fc.integer({ min: 1, max: 6 }) });
const traffic = counted('say', 'others', 'take', 'deliver', 'repeat');
const waiting = fc.record({ do: fc.constant('wait' as const), n: fc.integer({ min: 1, max: 20_000 }) });
const faults = fc.constantFrom<Action>({ do: 'lose' }, { do: 'drop' }, { do: 'restart' });
const refusing = fc.record({ do: fc.constant('refuse' as const), n: fc.integer({ min: 1, max: 4 }) });

/** The app: what it shows of the conversation, and all it was told. */
function app(windowMax: number, random: number) {
  const server = new ModelServer();
  const system = sdkClient({
    random: () => random,
    sendWindowMax: windowMax,
    sendDeadlineMs: 1e9,
    gapRetriesMax: 3,
  });
  const sockets = new Set<unknown>();
  const room = system.chat.join(C1, { after: 0 });
  let view: Pick<EventFrame, 'seq' | 'event'>[] = [];
  const acked = new Map<string, number>();
  room.on('event', ({ seq, event }) => view.push({ seq, event }));
  room.on('resync', () => {
    view = server.log.map(({ seq, event }) => ({ seq, event }));
    room.resumeFrom(view.at(-1)?.seq ?? 0);
  });
  /** Sockets that the client opened meanwhile reach the server. */
  const connect = () => {
    const socket = system.sockets.at(-1);
    if (socket === undefined || sockets.has(socket)) return;
    sockets.add(socket);
    server.connect(socket);
  };
  const said: string[] = [];
  const say = () => {
    const message = room.send('hello');
    said.push(message.clientMessageId);
    message.settled.then(
      ({ seq }) => acked.set(message.clientMessageId, seq ?? 0),
      () => {},
    );
  };
  return { ...system, server, room, said, say, acked, connect, view: () => view };
}

type App = ReturnType<typeof app>;

function perform({ server, say, clock, connect }: App, action: Action): void {
  connect();
  const times = (run: () => void) => {
    for (let n = 0; 'n' in action && n < action.n; n++) run();
  };
  switch (action.do) {
    case 'say':
      return times(say);
    case 'others':
      return times(() => server.post(`other ${server.log.length}`));
    case 'take':
      return server.take(action.n);
    case 'deliver':
      return server.deliver(action.n);
    case 'repeat':
      return server.repeat(action.n);
    case 'refuse':
      server.refusals = action.n;
      return;
    case 'wait':
      return clock.advance(action.n);
    case 'lose':
      return server.lose();
    case 'drop':
      return server.drop();
    case 'restart':
      return server.restart();
  }
}

/** Nothing is lost any more: lets everything travel until both sides have nothing left to do. */
function settle({ server, chat, room, clock, connect, view }: App): void {
  server.refusals = 0;
  server.post('the last word, behind which nothing can be missing unnoticed');
  for (let step = 0; step < 2_000; step++) {
    connect();
    server.take(100);
    server.deliver(100);
    const done = chat.pending === 0 && room.state === 'live' && view().length === server.log.length;
    if (done && server.idle) return;
    clock.advance(100);
  }
}

async function check(system: App): Promise<void> {
  settle(system);
  const { server, said, acked, chat, view } = system;
  expect(chat.pending).toBe(0);
  // Settled promises tell in microtasks.
  await Promise.resolve();
  const stored = server.log.map(({ seq, event }) => ({ seq, event }));
  expect(view()).toEqual(stored);
  const mine = stored.map(({ event }) => ('clientMessageId' in event ? event.clientMessageId : ''));
  expect(mine.filter((name) => /^k/.test(name))).toEqual(said);
  for (const { seq, event } of stored) {
    if ('clientMessageId' in event && acked.has(event.clientMessageId)) {
      expect(acked.get(event.clientMessageId)).toBe(seq);
    }
  }
  expect([...acked.keys()].sort()).toEqual([...said].sort());
  chat.close();
  expect(system.clock.timers).toBe(0);
}

const random = fc.constantFrom(0, 0.3, 0.999);

test('whatever is lost, repeated or cut, every message is stored once and in order, and the room shows the log', async () => {
  const actions = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: traffic },
      { weight: 1, arbitrary: waiting },
      { weight: 2, arbitrary: faults },
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(actions, fc.constantFrom(1, 3, 64), random, async (script, windowMax, at) => {
      const system = app(windowMax, at);
      for (const action of script) perform(system, action);
      await check(system);
    }),
    { numRuns: 400 },
  );
});

test('with a window of one the same holds when the server refuses messages for now', async () => {
  const actions = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: traffic },
      { weight: 1, arbitrary: waiting },
      { weight: 2, arbitrary: faults },
      { weight: 2, arbitrary: refusing },
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(actions, random, async (script, at) => {
      const system = app(1, at);
      for (const action of script) perform(system, action);
      await check(system);
    }),
    { numRuns: 300 },
  );
});

describe('a change', () => {
  const counts = fc.integer({ min: 1, max: 4 });
  const asking = fc.oneof(
    fc.record({ do: fc.constant('edit' as const), n: counts }),
    fc.record({ do: fc.constant('ask' as const), n: counts }),
  );
  const travel = fc.record({ do: fc.constantFrom('take', 'deliver'), n: counts });
  const troubles = fc.oneof(waiting, faults, refusing);
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: asking },
      { weight: 3, arbitrary: travel },
      { weight: 2, arbitrary: troubles },
    ),
    { maxLength: 60 },
  );

  /** What the app was told of each edit: the name of an error, or that it was made. */
  function editor(system: App) {
    const { room, chat } = system;
    const told = new Map<string, string>();
    let asked = 0;
    const note = (name: string, answer: Promise<unknown>) => {
      asked += 1;
      answer.then(
        () => told.set(name, 'done'),
        (error: Error) => told.set(name, error.name),
      );
    };
    const edit = () => {
      const name = `edit ${asked}`;
      note(name, room.edit(M1, name));
    };
    const ask = () => note(`question ${asked}`, chat.presence(['bob']));
    return { told, edit, ask, count: () => asked };
  }

  it('is made at most once, and what the app is told of it is true, whatever is lost or cut', async () => {
    let made = 0;
    let unknown = 0;
    await fc.assert(
      fc.asyncProperty(steps, random, async (script, at) => {
        const system = app(64, at);
        const { told, edit, ask, count } = editor(system);
        for (const step of script) {
          if (step.do !== 'edit' && step.do !== 'ask') perform(system, step);
          else for (let n = 0; n < step.n; n++) step.do === 'edit' ? edit() : ask();
        }
        system.clock.advance(15_000);
        await Promise.resolve();
        expect(system.chat.pending).toBe(0);
        const { edits } = system.server;
        expect(new Set(edits).size).toBe(edits.length);
        expect(told.size).toBe(count());
        for (const [name, outcome] of told) {
          if (name.startsWith('question')) expect(outcome).toMatch(/^(done|RequestTimeoutError)$/);
          else if (outcome === 'done') expect(edits).toContain(name);
          else if (outcome !== 'OutcomeUnknownError') expect(edits).not.toContain(name);
          else if (edits.includes(name)) made += 1;
          else unknown += 1;
        }
        system.chat.close();
        expect(system.clock.timers).toBe(0);
      }),
      { numRuns: 300 },
    );
    // Both of what is meant by unknown has happened.
    expect(Math.min(made, unknown)).toBeGreaterThan(0);
  });
});
