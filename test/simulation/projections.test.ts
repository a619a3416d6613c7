import { expect, test } from 'vitest';
import { LogRegressedError } from '../../projections/runner/logGuard.ts';
import { ProjectionRunner } from '../../projections/runner/runner.ts';
import { groupOf } from '../../src/contracts/events/subjects.ts';
import { type SimulatedEvent, SimulatedLog } from './simulatedLog.ts';
import { type Applied, projectSimulated, SimulatedDatabase } from './simulatedStore.ts';
import { Party, World } from './world.ts';

/** SIMULATION_SEEDS=100000 is a night; SIMULATION_SEED=n shows one again. */
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 1_500);
const FIRST_SEED = Number(process.env.SIMULATION_SEED ?? 1);
const conversations = Array.from({ length: 9 }, (_, n) => `c_${String.fromCharCode(97 + n).repeat(21)}`);

interface Process {
  readonly name: string;
  readonly party: Party;
  readonly runner: ProjectionRunner<Applied>;
}

/** Workers, a log and a database, with everything going wrong that can. */
class Simulation {
  readonly world: World;
  readonly log: SimulatedLog;
  readonly database: SimulatedDatabase;
  readonly processes: Process[] = [];
  halted: unknown = null;
  #healed = false;

  constructor(seed: number) {
    this.world = new World(seed);
    this.log = new SimulatedLog(this.world);
    this.database = new SimulatedDatabase(this.world);
  }

  startProcess(): void {
    const party = new Party();
    const name = `worker${this.processes.length}`;
    const log = this.log.seenBy(party);
    const runner = new ProjectionRunner({
      projection: { name: 'simulated', project: projectSimulated },
      store: this.database.seenBy(party, name),
      log,
      feed: log,
      timers: this.world.timersOf(party),
      random: this.world.random,
      batchMax: 5,
      onEvent: (event) => {
        if (event.type === 'projectionFailed' && event.trigger === 'unrecoverable') this.halted = event.error;
      },
    });
    this.processes.push({ name, party, runner });
    runner.start();
  }

  /** Something happens that nobody wanted, or somebody appends, or an operator acts. */
  disturb(): void {
    if (this.#healed) return;
    const { world, database, log } = this;
    const alive = this.processes.filter(({ party }) => !party.dead);
    const victim = world.pick(alive);
    const dice = world.random();
    if (dice < 0.5) log.append(world.pick(conversations) ?? '');
    else if (dice < 0.56 && victim !== undefined)
      victim.party.frozenUntilMs = world.nowMs + world.between(500, 20_000);
    else if (dice < 0.6 && victim !== undefined) victim.party.dead = true;
    else if (dice < 0.63 && victim !== undefined) void victim.runner.stop();
    else if (dice < 0.7 && alive.length < 3) this.startProcess();
    else if (dice < 0.74) database.awayUntilMs = world.nowMs + world.between(100, 15_000);
    else if (dice < 0.77) log.awayUntilMs = world.nowMs + world.between(100, 8_000);
    else if (dice < 0.82) database.poison.add(log.events.length + 1);
    else if (dice < 0.86) database.poison.clear();
    else if (dice < 0.9) this.retryParked();
    this.world.after(world.between(10, 1_500), () => this.disturb());
  }

  retryParked(): void {
    for (const [id, parked] of this.database.parked) {
      this.database.parked.set(id, { ...parked, retryRequested: true });
    }
  }

  /** From now on nothing goes wrong any more. */
  heal(): void {
    const { database, log, processes } = this;
    this.#healed = true;
    Object.assign(database, { awayUntilMs: 0, faultRate: 0 });
    log.awayUntilMs = 0;
    database.poison.clear();
    for (const { party } of processes) party.frozenUntilMs = 0;
  }

  /** What must be in the read model by now, at most: each conversation's events in order, without a repeat or a hole. */
  violations(): string[] {
    return conversations.flatMap((conversationId) => {
      const due = this.seqsOf(conversationId);
      const rows = this.database.rows.get(conversationId) ?? [];
      const fine = rows.every((seq, at) => seq === due[at]);
      return fine
        ? []
        : [`${conversationId}: ${rows.join(' ')} instead of the beginning of ${due.join(' ')}`];
    });
  }

  /** What a checkpoint says to be there and is not, apart from what is parked. */
  missing(): string[] {
    const { groups, rows, parked } = this.database;
    return conversations.flatMap((conversationId) => {
      const checkpoint = groups[groupOf(conversationId)]?.seq ?? 0;
      const until = Math.min(checkpoint, (parked.get(conversationId)?.seq ?? Number.POSITIVE_INFINITY) - 1);
      const due = this.seqsOf(conversationId).filter((seq) => seq <= until);
      const there = rows.get(conversationId)?.length ?? 0;
      return there >= due.length ? [] : [`${conversationId}: ${there} of ${due.length} up to ${until}`];
    });
  }

  /** Rows that no log ever held in this order: begun with what one log held, gone on with what another did. */
  mixtures(kept: number): string[] {
    const { events, lost } = this.log;
    const before = [...events.slice(0, kept), ...lost];
    return conversations.flatMap((conversationId) => {
      const keys = this.database.keys.get(conversationId) ?? [];
      const isBeginningOf = (stored: readonly SimulatedEvent[]) => {
        const due = stored.filter((event) => event.conversationId === conversationId).map(({ key }) => key);
        return keys.every((key, at) => key === due[at]);
      };
      return isBeginningOf(before) || isBeginningOf(events) ? [] : [`${conversationId}: ${keys.join(' ')}`];
    });
  }

  seqsOf(conversationId: string): number[] {
    return this.log.events.filter((event) => event.conversationId === conversationId).map(({ seq }) => seq);
  }

  get isComplete(): boolean {
    const { rows, parked } = this.database;
    const there = [...rows.values()].reduce((sum, { length }) => sum + length, 0);
    return there === this.log.events.length && parked.size === 0;
  }
}

async function simulate(seed: number): Promise<Simulation> {
  const simulation = new Simulation(seed);
  const { world, database } = simulation;
  database.faultRate = world.chance(0.5) ? 0.05 : 0;
  simulation.startProcess();
  simulation.startProcess();
  simulation.disturb();
  const broken = () => simulation.violations().length > 0 || simulation.missing().length > 0;
  await world.runUntil(broken, world.between(5_000, 60_000));
  return simulation;
}

test(`whatever dies, freezes or fails when, each event is in the read model once and in order (${SEEDS} schedules)`, {
  timeout: 1_800_000,
}, async () => {
  let fenced = 0;
  let parked = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const simulation = await simulate(seed);
    const { world, database } = simulation;
    expect(simulation.violations(), `seed ${seed}`).toEqual([]);
    expect(simulation.missing(), `seed ${seed}`).toEqual([]);
    parked += database.parked.size;
    simulation.heal();
    simulation.startProcess();
    // The operator goes on asking; a request may have been overtaken by what was in flight.
    const ask = () => {
      simulation.retryParked();
      database.poison.clear();
      world.after(3_000, ask);
    };
    ask();
    const done = await world.runUntil(() => simulation.isComplete, 120_000);
    expect(simulation.violations(), `seed ${seed}, healed`).toEqual([]);
    expect(simulation.halted, `seed ${seed}`).toBeNull();
    expect(done, `seed ${seed}: not complete two minutes after everything is well again`).toBe(true);
    fenced += database.fencedWrites;
  }
  // Otherwise the schedules do not show what they are there for.
  expect(fenced).toBeGreaterThan(SEEDS / 20);
  expect(parked).toBeGreaterThan(SEEDS / 20);
});

test('a log that comes back without its tail, and is written on, is not projected after what it lost', {
  timeout: 1_800_000,
}, async () => {
  let found = 0;
  const seeds = Math.ceil(SEEDS / 3);
  for (let seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
    const simulation = await simulate(seed);
    const { world, database, log } = simulation;
    const projected = Math.max(...database.groups.map((group) => group.seq));
    const kept = Math.max(0, log.events.length - Math.ceil(world.between(0, 12)));
    log.loseTail(kept, world.between(50, 3_000));
    // What it lost is outgrown before anybody can have checked.
    for (let count = world.between(0, 30); count > 0; count--) log.append(world.pick(conversations) ?? '');
    const mixed = () => simulation.mixtures(kept).length > 0;
    await world.runUntil(mixed, world.between(5_000, 60_000));
    expect(simulation.mixtures(kept), `seed ${seed}: ${kept} events kept`).toEqual([]);
    simulation.heal();
    simulation.startProcess();
    await world.runUntil(mixed, 60_000);
    expect(simulation.mixtures(kept), `seed ${seed}, healed`).toEqual([]);
    if (projected <= kept) continue;
    found += 1;
    expect(simulation.halted, `seed ${seed}: ${projected} projected, ${kept} kept`).toBeInstanceOf(
      LogRegressedError,
    );
    expect(log.previousEpoch, `seed ${seed}`).toBe('simulated');
  }
  expect(found).toBeGreaterThan(seeds / 10);
});

test('the groups of a dead worker are taken over in less than ten seconds', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const simulation = new Simulation(seed);
    const { world, database } = simulation;
    simulation.startProcess();
    simulation.startProcess();
    const owners = () => new Set(database.groups.map(({ owner }) => owner));
    const shared = () => owners().size === 2 && !owners().has(null);
    expect(await world.runUntil(shared, 30_000), `seed ${seed}`).toBe(true);
    await world.runUntil(() => false, world.between(0, 5_000));
    const [victim] = simulation.processes;
    if (victim !== undefined) victim.party.dead = true;
    const diedAtMs = world.nowMs;
    expect(await world.runUntil(() => owners().size === 1 && owners().has('worker1'), 30_000)).toBe(true);
    expect(world.nowMs - diedAtMs, `seed ${seed}`).toBeLessThan(10_000);
  }
});
