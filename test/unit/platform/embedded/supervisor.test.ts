import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SupervisorStopTimeoutError } from '../../../../src/platform/embedded/errors.ts';
import type { ServerEvent, SupervisedServer } from '../../../../src/platform/embedded/supervisedServer.ts';
import { type Supervisor, supervise } from '../../../../src/platform/embedded/supervisor.ts';
import {
  backoff,
  type Input,
  initialState,
  type State,
  transition,
} from '../../../../src/platform/embedded/supervisorStates.ts';

/** A server that dies when it is told to. */
interface FakeServer extends SupervisedServer {
  die(reason: string): void;
}

let nextPid: number;
let servers: FakeServer[];
let events: ServerEvent[];

beforeEach(() => {
  vi.useFakeTimers();
  nextPid = 100;
  servers = [];
  events = [];
});

afterEach(() => {
  vi.useRealTimers();
});

function fakeServer(): FakeServer {
  let die: (reason: string) => void = () => undefined;
  const exited = new Promise<string>((resolve) => {
    die = resolve;
  });
  const server = { url: 'fake://', pid: nextPid++, exited, die, stop: async () => die('code 0') };
  servers.push(server);
  return server;
}

type Start = (signal: AbortSignal) => Promise<FakeServer>;

function superviseFake(start: Start = async () => fakeServer()): Promise<Supervisor<FakeServer>> {
  const onEvent = (event: ServerEvent): void => void events.push(event);
  return supervise(start, { onEvent, nowMs: () => Date.now(), random: () => 0, stopTimeoutMs: 5_000 });
}

async function killLast(): Promise<void> {
  servers.at(-1)?.die('signal SIGKILL');
  await vi.advanceTimersByTimeAsync(0);
}

const delays = (): number[] =>
  events.flatMap((event) => (event.type === 'serverRestarting' ? [event.delayMs] : []));

test('a server that dies is announced and started again', async () => {
  const supervisor = await superviseFake();
  await killLast();
  await vi.advanceTimersByTimeAsync(backoff.delayMsMin);
  expect(events).toEqual([
    { type: 'serverStarted', url: 'fake://', pid: 100, attempt: 0 },
    { type: 'serverDied', pid: 100, reason: 'signal SIGKILL' },
    { type: 'serverRestarting', attempt: 1, delayMs: 200, reason: 'signal SIGKILL' },
    { type: 'serverStarted', url: 'fake://', pid: 101, attempt: 1 },
  ]);
  await supervisor.stop();
  expect(events.at(-1)).toEqual({ type: 'serverStopped' });
});

test('a server that is to be restarted is ended and started again, but not while there is none', async () => {
  const supervisor = await superviseFake();
  supervisor.restart();
  await vi.advanceTimersByTimeAsync(0);
  supervisor.restart();
  await vi.advanceTimersByTimeAsync(backoff.delayMsMin);
  expect(events.map(({ type }) => type)).toEqual([
    'serverStarted',
    'serverDied',
    'serverRestarting',
    'serverStarted',
  ]);
  expect(servers).toHaveLength(2);
  await supervisor.stop();
  supervisor.restart();
  expect(servers).toHaveLength(2);
});

test('the delay doubles with every failure up to its maximum', async () => {
  let starts = 0;
  const supervisor = await superviseFake(async () => {
    if (starts++ > 0) throw new Error('no room');
    return fakeServer();
  });
  await killLast();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(delays().slice(0, 8)).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  expect(events.at(-1)).toMatchObject({ reason: 'no room' });
  await supervisor.stop();
});

test('the delay begins anew for a server that was healthy long enough, and only then', async () => {
  const supervisor = await superviseFake();
  await killLast();
  await vi.advanceTimersByTimeAsync(200);
  await killLast();
  await vi.advanceTimersByTimeAsync(400 + backoff.healthyAfterMs);
  await killLast();
  expect(delays()).toEqual([200, 400, 200]);
  await supervisor.stop();
});

test('jitter takes off at most a half of the delay', () => {
  const dead: Input = { type: 'exited', nowMs: 1, random: 0.999 };
  const [, effect] = transition({ name: 'running', attempt: 0, sinceMs: 0 }, dead).effects;
  expect(effect).toEqual({ do: 'startTimer', attempt: 1, delayMs: 100 });
});

test('a first start that fails is the error of the caller, and nothing is tried again', async () => {
  const failing = superviseFake(async () => Promise.reject(new Error('port taken')));
  await expect(failing).rejects.toThrow('port taken');
  expect(vi.getTimerCount()).toBe(0);
  expect(events).toEqual([{ type: 'serverStopped' }]);
});

test('a stop while waiting to restart starts nothing more', async () => {
  const supervisor = await superviseFake();
  await killLast();
  await supervisor.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(servers).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('a stop during a restart gives the start up, and ends the server if it came up all the same', async () => {
  let finish: (server: FakeServer) => void = () => undefined;
  let aborted = false;
  const supervisor = await superviseFake((signal) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    if (servers.length === 0) return Promise.resolve(fakeServer());
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  await killLast();
  await vi.advanceTimersByTimeAsync(200);
  const stopped = supervisor.stop();
  expect(aborted).toBe(true);
  finish(fakeServer());
  await stopped;
  expect(await servers[1]?.exited).toBe('code 0');
});

test('a stop that a server does not obey ends with an error and does not hang', async () => {
  const supervisor = await superviseFake(async () => ({ ...fakeServer(), stop: async () => undefined }));
  const stopped = expect(supervisor.stop()).rejects.toThrow(SupervisorStopTimeoutError);
  await vi.advanceTimersByTimeAsync(5_000);
  await stopped;
});

test('stopping twice is stopping once', async () => {
  const supervisor = await superviseFake();
  await Promise.all([supervisor.stop(), supervisor.stop()]);
  expect(events.filter((event) => event.type === 'serverStopped')).toHaveLength(1);
});

test('from every state a stop request leads towards stopped, and what cannot happen is refused', () => {
  const request: Input = { type: 'stopRequested', nowMs: 0, random: 0 };
  const after = (name: State['name']): string => transition({ ...initialState, name }, request).state.name;
  expect(after('starting')).toBe('stopping');
  expect(after('running')).toBe('stopping');
  expect(after('backoff')).toBe('stopped');
  expect(after('stopping')).toBe('stopping');
  expect(after('stopped')).toBe('stopped');
  expect(() => transition(initialState, { ...request, type: 'timerFired' })).toThrow(
    '"timerFired" while starting',
  );
});
