import type { ClientBase, Pool } from 'pg';
import { type Projection, schemaOf } from './projection.ts';

/** Where two versions of a read model differ. */
export interface Comparison {
  /** How many keys (conversations, hours, …) were compared. */
  readonly compared: number;
  readonly different: readonly string[];
}

type Digested = Pick<Projection<never>, 'name' | 'digestSql'>;

/** Keys that are compared again one by one. */
const CANDIDATES_MAX = 200;

/**
 * Compares two versions while both go on: what differs may only be on its way, so these are candidates for
 * {@link recompare}.
 */
export async function compareVersions(
  client: ClientBase | Pool,
  projection: Digested,
  one: number,
  other: number,
): Promise<Comparison> {
  const { rows } = await client.query<{ key: string | null; compared: string }>(`
    WITH compared AS (${joined(projection, one, other)})
    SELECT null AS key, count(*) AS compared FROM compared
    UNION ALL
    SELECT key, 0 FROM (SELECT key FROM compared WHERE NOT equal ORDER BY key LIMIT ${CANDIDATES_MAX}) AS differing`);
  const different = rows.flatMap(({ key }) => (key === null ? [] : [key]));
  return { compared: Number(rows.find(({ key }) => key === null)?.compared ?? 0), different };
}

/** Compares the candidates again, now that both versions stand at the same checkpoints. @returns those that do differ */
export async function recompare(
  client: ClientBase | Pool,
  projection: Digested,
  [one, other]: readonly [number, number],
  candidates: readonly string[],
): Promise<string[]> {
  const different: string[] = [];
  for (const key of candidates) {
    // One at a time: an equality the planner carries into the parts of the digest, a list it does not.
    const sql = `SELECT equal FROM (${joined(projection, one, other, 'WHERE key = $1')}) AS compared`;
    const { rows } = await client.query<{ equal: boolean }>(sql, [key]);
    if (rows.some(({ equal }) => !equal)) different.push(key);
  }
  return different;
}

function joined(projection: Digested, one: number, other: number, where = ''): string {
  const digest = (version: number) =>
    `(SELECT * FROM (${projection.digestSql(schemaOf(projection.name, version))}) AS d ${where})`;
  return `SELECT key, coalesce(a.hash = b.hash, false) AS equal FROM ${digest(one)} a FULL JOIN ${digest(other)} b USING (key)`;
}
