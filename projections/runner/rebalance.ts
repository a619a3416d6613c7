/** One partition group as the database has it. */
export interface GroupLease {
  readonly group: number;
  readonly owner: string | null;
  /** Whether the owner's lease still holds. */
  readonly leased: boolean;
}

export interface Rebalance {
  /** Groups to take: without an owner, or of a worker that is gone. */
  readonly claim: readonly number[];
  /** Groups to give away, because others have fewer. */
  readonly release: readonly number[];
}

/**
 * A worker's next step towards an even share of the groups. Pure: every worker computes the same quotas from the same
 * rows, and what they add up to is the number of groups, so the shares settle and no worker takes from a living one.
 *
 * @param workers those that are alive, this one among them, in any order
 */
export function rebalance(leases: readonly GroupLease[], workers: readonly string[], me: string): Rebalance {
  const mine = leases.filter(({ owner }) => owner === me).map(({ group }) => group);
  const free = leases.filter(({ owner, leased }) => owner !== me && (owner === null || !leased));
  const quota = quotaOf(leases.length, workers, me);
  return {
    claim: free.slice(0, Math.max(0, quota - mine.length)).map(({ group }) => group),
    release: mine.slice(quota),
  };
}

function quotaOf(groups: number, workers: readonly string[], me: string): number {
  const rank = [...workers].sort().indexOf(me);
  if (rank < 0) throw new Error(`${me} must be one of the workers that are alive`);
  return Math.floor(groups / workers.length) + (rank < groups % workers.length ? 1 : 0);
}
