import type { ClientBase } from 'pg';
import type { ChatEvent } from '../../src/domain/conversation/events.ts';

/** An event to be projected, with its sequence in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: ChatEvent;
}

/**
 * A read model: which rows follow from which events. `Changes` is what a batch of events amounts to; it must not
 * depend on where batches begin and end, so that a rebuild equals what grew live.
 *
 * A batch holds events of one partition group, and the groups are written at the same time by different workers: rows
 * that several conversations share must be keyed by the group as well.
 */
export interface Projection<Changes> {
  readonly name: string;
  /** Of the tables: raised with every change of `schema.sql`, or of what is written, that older code cannot write. */
  readonly format: number;
  /** Makes the tables of a new version, in the schema that the search path names. */
  readonly schemaSql: URL;
  /** The tables and views that `public` shows of the live version. */
  readonly relations: readonly string[];
  /** Pure: the same batch always gives the same changes. */
  readonly project: (batch: Batch) => Changes;
  /**
   * Writes the changes inside the runner's transaction, into the tables of `schema`. May roll back to
   * {@link BATCH_SAVEPOINT} and write again.
   */
  readonly write: (client: ClientBase, schema: string, changes: Changes) => Promise<void>;
  /**
   * SQL whose rows say what a version holds, to compare two: `key text` (a conversation, an hour, …) and `hash text`
   * over everything that is shown of it. Equal events give equal rows, in any version.
   */
  readonly digestSql: (schema: string) => string;
  /**
   * SQL that takes a copy of a version's tables back to where replaying the log from the sequence `$1` on leads to the
   * right rows again. Absent: this read model can only be built from the start.
   */
  readonly rewindSql?: (schema: string) => readonly string[];
}

/** Events of one partition group, in the order of the log. */
export interface Batch {
  readonly group: number;
  readonly events: readonly LoggedEvent[];
  /**
   * Sequences that the log no longer holds (erased events), of this group or another. Only counts need them: an erased message is counted when its tombstone comes, unless it was seen before.
   */
  readonly holes: readonly number[];
}

/** Stands at the beginning of every batch's transaction. */
export const BATCH_SAVEPOINT = 'batch';

/** The Postgres schema that holds one version of a read model. */
export function schemaOf(projection: string, version: number): string {
  return `${projection}_v${version}`;
}
