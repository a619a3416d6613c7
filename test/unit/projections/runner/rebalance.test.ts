import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupLease, rebalance } from '../../../../projections/runner/rebalance.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

const workersAlive = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });

/** Groups of living and dead workers and of none; a dead worker's lease holds for a while or is over. */
const groupOwners = fc.array(
  fc.record({
    owner: fc.option(fc.constantFrom(...NAMES, 'dead'), { nil: null }),
    leaseOver: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

type Owners = readonly { readonly owner: string | null; readonly leaseOver: boolean }[];

/** A living worker's lease holds: it is renewed by the same heartbeat. */
const leasesOf = (owners: Owners, alive: readonly string[]): GroupLease[] =>
  owners.map(({ owner, leaseOver }, group) => ({
    group,
    owner,
    leased: owner !== null && (alive.includes(owner) || !leaseOver),
  }));

/** One heartbeat of a worker, as the database carries it out. */
function beat(leases: GroupLease[], alive: readonly string[], me: string): number {
  const { claim, release } = rebalance(leases, alive, me);
  for (const group of release) leases[group] = { group, owner: null, leased: false };
  for (const group of claim) leases[group] = { group, owner: me, leased: true };
  return claim.length + release.length;
}

/** The leases of the dead end, and everybody alive takes turns, twice: to give away, and to take. */
function settle(owners: Owners, alive: readonly string[], turns: readonly string[]): GroupLease[] {
  const leases = leasesOf(
    owners.map(({ owner }) => ({ owner, leaseOver: true })),
    alive,
  );
  for (let round = 0; round < 2; round++) for (const worker of turns) beat(leases, alive, worker);
  return leases;
}

const shareOf = (leases: readonly GroupLease[], worker: string) =>
  leases.filter(({ owner }) => owner === worker).map(({ group }) => group);

const shuffledTurns = workersAlive.chain((alive) =>
  fc.tuple(fc.constant(alive), fc.shuffledSubarray(alive, { minLength: alive.length })),
);

describe('after two heartbeats of every worker', () => {
  it('every group has exactly one owner, who is alive, and shares differ by one at most', () => {
    fc.assert(
      fc.property(groupOwners, shuffledTurns, (owners, [alive, turns]) => {
        const leases = settle(owners, alive, turns);
        for (const { owner } of leases) expect(alive).toContain(owner);
        const shares = alive.map((worker) => shareOf(leases, worker).length);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(leases.length);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('nothing moves any more', () => {
    fc.assert(
      fc.property(groupOwners, shuffledTurns, (owners, [alive, turns]) => {
        const leases = settle(owners, alive, turns);
        for (const worker of turns) expect(beat(leases, alive, worker)).toBe(0);
      }),
    );
  });
});

describe('one step', () => {
  it('takes no group of a worker whose lease holds, and gives away only its own', () => {
    fc.assert(
      fc.property(groupOwners, workersAlive, (owners, alive) => {
        const leases = leasesOf(owners, alive);
        const [me = ''] = alive;
        const { claim, release } = rebalance(leases, alive, me);
        for (const group of claim) expect(leases[group]).not.toMatchObject({ leased: true });
        expect(shareOf(leases, me)).toEqual(expect.arrayContaining([...release]));
        expect(new Set([...claim, ...release]).size).toBe(claim.length + release.length);
      }),
    );
  });

  it('gives away only what is beyond its share, and takes no more than it lacks', () => {
    fc.assert(
      fc.property(groupOwners, workersAlive, (owners, alive) => {
        const leases = leasesOf(owners, alive);
        const [me = ''] = alive;
        const { claim, release } = rebalance(leases, alive, me);
        const even = leases.length / alive.length;
        const had = shareOf(leases, me).length;
        if (release.length > 0) expect(had - release.length).toBeGreaterThanOrEqual(Math.floor(even));
        if (claim.length > 0) expect(had + claim.length).toBeLessThanOrEqual(Math.ceil(even));
        if (had <= Math.floor(even)) expect(release).toEqual([]);
        if (had >= Math.ceil(even)) expect(claim).toEqual([]);
      }),
    );
  });

  it('does not depend on the order in which the workers are named', () => {
    fc.assert(
      fc.property(groupOwners, shuffledTurns, (owners, [alive, shuffled]) => {
        const leases = leasesOf(owners, alive);
        const [me = ''] = alive;
        expect(rebalance(leases, shuffled, me)).toEqual(rebalance(leases, alive, me));
      }),
    );
  });

  it('is for living workers only', () => {
    expect(() => rebalance([], ['a', 'b'], 'c')).toThrow(/c must be one of the workers that are alive/);
  });
});

describe('a worker that comes or goes', () => {
  const four = (owners: readonly (string | null)[]): Owners =>
    owners.map((owner) => ({ owner, leaseOver: true }));

  it('moves its own groups alone when it goes', () => {
    const leases = settle(four(['a', 'a', 'b', 'b']), ['b'], ['b']);
    expect(shareOf(leases, 'b')).toEqual([0, 1, 2, 3]);
    const shared = settle(four(['a', 'b', 'c', 'c']), ['a', 'b'], ['b', 'a']);
    expect([shared[0]?.owner, shared[1]?.owner]).toEqual(['a', 'b']);
  });

  it('is given groups by those that have too many, and by nobody else', () => {
    const leases = settle(four(['a', 'a', 'b', 'b']), ['a', 'b', 'c'], ['c', 'b', 'a']);
    expect([...'abc'].map((worker) => shareOf(leases, worker))).toEqual([[0, 1], [2], [3]]);
  });
});
