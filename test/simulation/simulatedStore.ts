import type { SeenLog } from '../../projections/runner/control/logLineage.ts';
import type { Batch } from '../../projections/runner/projection.ts';
import { rebalance } from '../../projections/runner/rebalance.ts';
import {
  type Assignment,
  type Checkpoint,
  type Claim,
  FencedError,
  type GroupCommit,
  type ParkedConversation,
  PoisonError,
  type ProjectionStore,
  type WorkerReport,
} from '../../projections/runner/store.ts';
import { groupOf, PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import type { Party, World } from './world.ts';

/** What the simulated projection makes of a batch: which event of which conversation. */
export type Applied = readonly {
  readonly conversationId: string;
  readonly seq: number;
  /** Tells events apart that a log has had at the same sequence. */
  readonly key: string;
}[];

export function projectSimulated({ events }: Batch): Applied {
  return events.map(({ seq, event }) => {
    const key = event.type === 'MessagePosted' ? event.clientMessageId : '';
    return { seq, conversationId: event.conversationId, key };
  });
}

interface Group {
  owner: string | null;
  ownerEpoch: number;
  leaseUntilMs: number;
  seq: number;
  fingerprint: string | null;
}

const LEASE_MS = 6_000;
const simulatedLog = { epoch: 'simulated', logId: 'simulated', olderEpochs: [], firstEvents: [] };
const version = { version: 1, status: 'live', format: 1, ...simulatedLog } as const;

/**
 * The database. Each request reaches it after a while and is done there at once or not at all; the answer travels back
 * for another while, and may get lost: then nobody knows whether it was done.
 */
export class SimulatedDatabase {
  readonly #world: World;
  readonly groups: Group[];
  /** What is in the read model: the sequences of each conversation, in the order in which they were written. */
  readonly rows = new Map<string, number[]>();
  /** The keys of the same events. */
  readonly keys = new Map<string, string[]>();
  readonly parked = new Map<string, ParkedConversation>();
  readonly #workers = new Map<string, number>();
  /** Sequences that cannot be written for now. */
  readonly poison = new Set<number>();
  awayUntilMs = 0;
  /** How likely it is that a request fails, before or after it was done. */
  faultRate = 0;
  fencedWrites = 0;

  constructor(world: World) {
    this.#world = world;
    this.groups = Array.from({ length: PARTITION_GROUPS }, () => {
      return { owner: null, ownerEpoch: 0, leaseUntilMs: 0, seq: 0, fingerprint: null };
    });
  }

  seenBy(party: Party, worker: string): ProjectionStore<Applied> {
    const ask = <T>(work: () => T) => this.#ask(party, work);
    return {
      heartbeat: (_log: SeenLog, report: WorkerReport) => ask(() => this.#heartbeat(worker, report)),
      standBy: () => ask(() => ({ resumes: 0 })),
      leave: () => ask(() => this.#leave(worker)),
      commit: (claim, commit, onSent) => {
        const done = ask(() => this.#commit(claim, commit));
        onSent?.();
        return done;
      },
      advance: (claim, to) => ask(() => this.#move(claim, to)),
      probe: (_claim, changes) => ask(() => this.#poisonIn(changes)),
    };
  }

  #ask<T>(party: Party, work: () => T): Promise<T> {
    const world = this.#world;
    return new Promise((resolve, reject) => {
      const answer = (say: () => void) => {
        // Now and then an answer takes longer than a lease.
        const slow = world.chance(this.faultRate / 4) ? world.between(1_000, 9_000) : world.between(1, 20);
        world.after(slow, say, party);
      };
      const arrive = () => {
        const lost = new Error('The connection was lost');
        if (this.awayUntilMs > world.nowMs || world.chance(this.faultRate)) return answer(() => reject(lost));
        try {
          const result = work();
          answer(world.chance(this.faultRate) ? () => reject(lost) : () => resolve(result));
        } catch (error) {
          answer(() => reject(error));
        }
      };
      // It is the network's and the database's from here on: the process may die meanwhile.
      world.after(world.between(1, 20), arrive);
    });
  }

  #heartbeat(worker: string, { state }: WorkerReport): Assignment {
    const { nowMs } = this.#world;
    if (state === 'halted') throw new Error('A halted worker asks for nothing');
    this.#workers.set(worker, nowMs + LEASE_MS);
    const alive = [...this.#workers].filter(([, untilMs]) => untilMs > nowMs).map(([name]) => name);
    const leases = this.groups.map(({ owner, leaseUntilMs }, group) => {
      return { group, owner, leased: leaseUntilMs > nowMs };
    });
    const { claim, release } = rebalance(leases, alive, worker);
    for (const [number, group] of this.groups.entries()) {
      if (release.includes(number)) Object.assign(group, { owner: null, ownerEpoch: group.ownerEpoch + 1 });
      if (claim.includes(number)) Object.assign(group, { owner: worker, ownerEpoch: group.ownerEpoch + 1 });
      if (group.owner === worker) group.leaseUntilMs = nowMs + LEASE_MS;
    }
    return { paused: false, resumes: 0, claims: this.#claims(worker) };
  }

  #claims(worker: string): Claim[] {
    return this.groups.flatMap(({ owner, ownerEpoch, seq, fingerprint }, group) => {
      if (owner !== worker) return [];
      const parked = [...this.parked.values()].filter(
        ({ conversationId }) => groupOf(conversationId) === group,
      );
      return [{ version, group, ownerEpoch, seq, fingerprint, parked }];
    });
  }

  #leave(worker: string): void {
    this.#workers.delete(worker);
    for (const group of this.groups) {
      if (group.owner === worker) Object.assign(group, { owner: null, ownerEpoch: group.ownerEpoch + 1 });
    }
  }

  #commit(claim: Claim, { changes, to, park, unpark }: GroupCommit<Applied>): void {
    const reason = this.#poisonIn(changes ?? []);
    if (reason !== null) throw new PoisonError(reason);
    this.#hold(claim);
    for (const { conversationId, seq, key } of changes ?? []) {
      this.rows.set(conversationId, [...(this.rows.get(conversationId) ?? []), seq]);
      this.keys.set(conversationId, [...(this.keys.get(conversationId) ?? []), key]);
    }
    if (to !== null) this.#move(claim, to);
    for (const parked of park) this.parked.set(parked.conversationId, parked);
    for (const conversationId of unpark) this.parked.delete(conversationId);
  }

  #move(claim: Claim, to: Checkpoint): void {
    Object.assign(this.#hold(claim), { seq: to.seq, fingerprint: to.fingerprint });
  }

  #hold(claim: Claim): Group {
    const group = this.groups[claim.group];
    if (group?.ownerEpoch === claim.ownerEpoch && group.seq === claim.seq) return group;
    this.fencedWrites += 1;
    throw new FencedError('taken over');
  }

  #poisonIn(changes: Applied): string | null {
    const bad = changes.find(({ seq }) => this.poison.has(seq));
    return bad === undefined ? null : `event ${bad.seq} is poison`;
  }
}
