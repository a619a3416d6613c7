import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { LogCircuit } from '../../../../src/eventlog/jetstream/logCircuit.ts';
import type { LogCircuitOptions } from '../../../../src/eventlog/jetstream/logCircuitOptions.ts';
import {
  type LogState,
  type LogTrigger,
  transition,
} from '../../../../src/eventlog/jetstream/logCircuitStates.ts';
import { LogFullError, LogOverloadedError, LogUnavailableError } from '../../../../src/ports/eventLog.ts';
import { ManualTime } from '../../../support/time/manualTime.ts';

const STATES: LogState[] = ['available', 'suspect', 'unavailable', 'probing', 'closed'];
const TRIGGERS: LogTrigger[] = [
  'disconnected',
  'silent',
  'graceOver',
  'acknowledged',
  'answered',
  'probeDue',
  'probeFailed',
  'close',
];
/** Every transition that leads elsewhere; all others must change nothing. */
const LEADS: Record<string, LogState> = {
  'available disconnected': 'suspect',
  'available silent': 'suspect',
  'suspect graceOver': 'unavailable',
  'unavailable probeDue': 'probing',
  'probing probeFailed': 'unavailable',
  'probing disconnected': 'unavailable',
  ...Object.fromEntries(
    ['suspect', 'unavailable', 'probing'].flatMap((state) => [
      [`${state} acknowledged`, 'available'],
      [`${state} answered`, 'available'],
    ]),
  ),
  ...Object.fromEntries(STATES.map((state) => [`${state} close`, 'closed'])),
};

test('each trigger leads where the specification says, and nowhere from where it means nothing', () => {
  for (const state of STATES) {
    for (const trigger of TRIGGERS) {
      expect(transition(state, trigger), `${state} ${trigger}`).toBe(LEADS[`${state} ${trigger}`] ?? state);
    }
  }
});

/** A log that can be away, and one appender on it whose messages are given up after ten seconds. */
class World {
  readonly time = new ManualTime();
  readonly states: string[] = [];
  readonly circuit: LogCircuit;
  connected = true;
  /** Answers questions. */
  answers = true;
  /** Acknowledges appends. */
  takes = true;
  owedSinceMs: number | null = null;
  probes = 0;
  trials = 0;
  refusedUnsent = 0;
  readonly #held: (() => void)[] = [];

  constructor(options: Partial<LogCircuitOptions> = {}) {
    this.circuit = new LogCircuit({
      probe: () => {
        this.probes += 1;
        return this.answer();
      },
      isAnswer: (error) => error instanceof RangeError,
      timers: this.time,
      random: () => 1,
      onState: (_from, to) => this.states.push(to),
      ...options,
    });
    this.circuit.attach({
      isOwed: () => this.owedSinceMs !== null,
      onUnavailable: () => {
        this.refusedUnsent += 1;
      },
      onTrial: () => {
        this.trials += 1;
        this.acknowledge();
      },
      onAvailable: () => {},
    });
  }

  /** What a question gets: an answer at once, or when the log is back, or after three seconds none. */
  answer(): Promise<void> {
    if (this.answers && this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#held.push(resolve);
      this.time.after(3_000, () => reject(new Error('TIMEOUT')));
    });
  }

  /** The outcome of a read, unless it is still waiting. */
  ask(): { outcome: unknown } {
    const read: { outcome: unknown } = { outcome: 'waiting' };
    this.circuit
      .ask(() => this.answer())
      .then(
        () => {
          read.outcome = 'answered';
        },
        (error: unknown) => {
          read.outcome = error;
        },
      );
    return read;
  }

  send(): void {
    if (!this.circuit.refuses) this.owedSinceMs ??= this.time.nowMs();
  }

  acknowledge(): void {
    if (!this.takes || !this.answers || !this.connected || this.owedSinceMs === null) return;
    this.owedSinceMs = null;
    this.circuit.acknowledged();
  }

  set(what: { connected?: boolean; answers?: boolean }): void {
    const { connected = this.connected, answers = this.answers } = what;
    const [wasConnected, answered] = [this.connected, this.answers];
    Object.assign(this, { connected, answers });
    if (wasConnected && !connected) this.circuit.onDisconnect();
    if (!wasConnected && connected) this.circuit.onReconnect();
    if (connected && answers && !answered) for (const resolve of this.#held.splice(0)) resolve();
  }

  /** Time passes in steps; what is owed is acknowledged or given up. */
  async pass(ms: number, afterStep: () => void = () => {}): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await this.time.advance(50);
      this.acknowledge();
      if (this.owedSinceMs !== null && this.time.nowMs() - this.owedSinceMs >= 10_000)
        this.owedSinceMs = null;
      afterStep();
    }
  }
}

describe('the circuit of the log', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.circuit.close());

  it('leaves a log alone of which nobody wants anything', async () => {
    world.set({ answers: false });
    await world.pass(60_000);
    expect([world.circuit.state, world.probes]).toEqual(['available', 0]);
  });

  it('refuses after two seconds without an acknowledgement, with what was never sent', async () => {
    world.set({ answers: false });
    world.send();
    await world.pass(1_900);
    expect([world.circuit.state, world.circuit.refuses, world.refusedUnsent]).toEqual(['suspect', false, 0]);
    await world.pass(300);
    expect([world.circuit.state, world.circuit.refuses, world.refusedUnsent]).toEqual([
      'unavailable',
      true,
      1,
    ]);
    expect(world.circuit.unavailableError()).toBeInstanceOf(LogUnavailableError);
  });

  it('refuses reads that wait, as soon as it knows, and new ones at once', async () => {
    world.set({ answers: false });
    const waiting = world.ask();
    await world.pass(2_300);
    expect(waiting.outcome).toBeInstanceOf(LogUnavailableError);
    const probes = world.probes;
    const refused = world.ask();
    await Promise.resolve();
    expect(refused.outcome).toBeInstanceOf(LogUnavailableError);
    expect(world.probes).toBe(probes);
  });

  it('refuses reads that were under way when the connection broke; those that come after wait for the next one', async () => {
    world.set({ answers: false });
    const lost = world.ask();
    world.set({ connected: false, answers: true });
    const waiting = world.ask();
    await world.pass(200);
    expect([lost.outcome, waiting.outcome]).toEqual([expect.any(LogUnavailableError), 'waiting']);
    expect(world.circuit.state).toBe('suspect');
  });

  it('says so when the log answers, but acknowledges nothing for long, and does so again and again', async () => {
    let said = 0;
    world = new World({ onTakesNothing: () => void said++ });
    world.takes = false;
    const beganAtMs = world.time.nowMs();
    let saidAtMs = 0;
    await world.pass(60_000, () => {
      world.send();
      if (said > 0 && saidAtMs === 0) saidAtMs = world.time.nowMs() - beganAtMs;
    });
    expect(saidAtMs).toBeGreaterThan(15_000);
    expect(saidAtMs).toBeLessThan(30_000);
    expect(said).toBeGreaterThan(1);
    world.takes = true;
    await world.pass(5_000, () => world.send());
    const before = said;
    // What was counted before the acknowledgement counts no more.
    world.takes = false;
    await world.pass(14_000, () => world.send());
    expect(said).toBe(before);
  });

  it.each([
    ['does not answer at all', { answers: false }],
    ['has no connection', { connected: false }],
  ])('says nothing of the kind while the log %s', async (_what, trouble) => {
    let said = 0;
    world = new World({ onTakesNothing: () => void said++ });
    world.set(trouble);
    await world.pass(60_000, () => world.send());
    expect(said).toBe(0);
  });

  it('asks by itself whether the log is back, and needs no client for that', async () => {
    world.set({ connected: false });
    await world.pass(5_000);
    expect(world.circuit.state).toBe('unavailable');
    world.set({ connected: true });
    await world.pass(50);
    expect(world.states).toEqual(['suspect', 'unavailable', 'probing', 'available']);
  });

  it('goes on at the first acknowledgement', async () => {
    world.set({ answers: false });
    world.send();
    await world.pass(4_000);
    world.set({ answers: true });
    world.acknowledge();
    expect([world.circuit.state, world.circuit.refuses]).toEqual(['available', false]);
  });

  it('refuses nobody when the connection is back within a second', async () => {
    world.set({ connected: false });
    await world.pass(900);
    expect(world.circuit.state).toBe('suspect');
    world.set({ connected: true });
    await world.pass(5_000);
    expect(world.states).toEqual(['suspect', 'available']);
  });

  it('asks nothing without a connection', async () => {
    world.set({ connected: false });
    await world.pass(30_000);
    expect([world.circuit.state, world.probes]).toEqual(['unavailable', 0]);
  });

  it('asks at most once in half a second, for as long as the log is away', async () => {
    world = new World({ random: () => 0 });
    world.set({ answers: false });
    world.ask();
    await world.pass(60_000);
    expect(world.probes).toBeGreaterThan(30);
    expect(world.probes).toBeLessThan(120);
  });

  it('minds no slow read while acknowledgements come', async () => {
    const never = () => new Promise<never>(() => {});
    world.circuit.ask(never).catch(() => {});
    await world.pass(10_000, () => world.send());
    expect(world.states).toEqual([]);
  });

  it('does not take an answered question for proof while acknowledgements are overdue: it tries again what is owed', async () => {
    world.takes = false;
    world.send();
    await world.pass(6_000, () => world.ask());
    expect(world.circuit.refuses).toBe(true);
    expect(world.trials).toBeGreaterThan(0);
    expect(world.states).not.toContain('available');
    const read = world.ask();
    await world.pass(50);
    expect(read.outcome, 'reads go on where they are answered').toBe('answered');
    expect(world.circuit.unavailableError()).toBeInstanceOf(LogFullError);
    world.takes = true;
    await world.pass(100);
    expect(world.circuit.state).toBe('available');
  });

  it('takes a read that was answered "no" for an answer', async () => {
    const refused = world.circuit.ask(() => Promise.reject(new RangeError('no such stream')));
    await expect(refused).rejects.toThrow('no such stream');
    expect(world.states).toEqual([]);
    await expect(world.circuit.ask(() => Promise.reject(new Error('503')))).rejects.toThrow('503');
    expect(world.states[0]).toBe('suspect');
  });

  it('takes a standstill of its own process for one check, however long it was', async () => {
    const checks: (() => void)[] = [];
    world.circuit.close();
    const after = (_ms: number, run: () => void) => {
      checks.push(run);
      return () => {};
    };
    world = new World({ timers: { after } });
    world.set({ answers: false });
    world.send();
    // However long it stands still: the first that it does then is to check, before it reads what has come.
    checks.shift()?.();
    world.set({ answers: true });
    world.acknowledge();
    expect(world.states).toEqual([]);
  });

  it('has no more reads under way than it may', async () => {
    world = new World({ readsMax: 2 });
    world.set({ answers: false });
    const reads = [world.ask(), world.ask(), world.ask()];
    await Promise.resolve();
    expect(reads.map(({ outcome }) => outcome)).toEqual([
      'waiting',
      'waiting',
      expect.any(LogOverloadedError),
    ]);
  });

  it('is at rest when it is closed', () => {
    world.circuit.close();
    world.circuit.onDisconnect();
    expect([world.circuit.state, world.time.pending]).toEqual(['closed', 0]);
  });
});

type Step = { do: 'freeze' | 'thaw' | 'cut' | 'mend' | 'send' | 'ask' } | { do: 'pass'; ms: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>(
    { do: 'freeze' },
    { do: 'thaw' },
    { do: 'cut' },
    { do: 'mend' },
    { do: 'send' },
    { do: 'ask' },
  ),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 50, max: 12_000 }) }),
);

/** A pause, a probe and a check. */
const RECOVERY_MS = 2_200;

test('whatever happens: it refuses only while the log is away or was a moment ago, and is never away for ever', async () => {
  const run = async (steps: Step[], random: number) => {
    const world = new World({ random: () => random });
    let wellSinceMs = world.time.nowMs();
    let wanted = false;
    const isWell = () => world.connected && world.answers;
    const check = () => {
      if (wanted) world.send();
      const wellMs = isWell() ? world.time.nowMs() - wellSinceMs : 0;
      if (wellMs > RECOVERY_MS) expect(world.circuit.state, `well for ${wellMs} ms`).toBe('available');
    };
    for (const { do: action, ...rest } of [...steps, { do: 'thaw' }, { do: 'mend' }] as const) {
      const wasWell = isWell();
      if (action === 'freeze' || action === 'thaw') world.set({ answers: action === 'thaw' });
      if (action === 'cut' || action === 'mend') world.set({ connected: action === 'mend' });
      if (action === 'send') wanted = !wanted;
      if (action === 'ask') world.ask();
      if (!wasWell && isWell()) wellSinceMs = world.time.nowMs();
      if ('ms' in rest) await world.pass(rest.ms, check);
    }
    await world.pass(RECOVERY_MS + 100, check);
    expect(world.circuit.state).toBe('available');
    world.circuit.close();
  };
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(0, 0.5, 1), run);
  await fc.assert(property, { numRuns: 200 });
});
