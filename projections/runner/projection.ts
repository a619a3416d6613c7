import type { ClientBase } from 'pg';
import type { ChatEvent } from '../../src/domain/conversation/events.ts';

/** An event to be projected, with its place in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: ChatEvent;
}

/**
 * A read model: which rows follow from which events. `Changes` is what a batch of events amounts to; it must not
 * depend on where batches begin and end, so that a rebuild equals what grew live.
 */
export interface Projection<Changes> {
  readonly name: string;
  /** Makes the tables of a new version, in the schema that the search path names. */
  readonly schemaSql: URL;
  /** The tables and views that `public` shows of the live version. */
  readonly relations: readonly string[];
  /** Pure: the same events always give the same changes. */
  readonly project: (events: readonly LoggedEvent[]) => Changes;
  /**
   * Writes the changes inside the runner's transaction, into the tables of `schema`. May roll back to
   * {@link BATCH_SAVEPOINT} and begin anew.
   */
  readonly write: (client: ClientBase, schema: string, changes: Changes) => Promise<void>;
}

/** Stands at the beginning of every batch's transaction. */
export const BATCH_SAVEPOINT = 'batch';

/** The Postgres schema that holds one version of a read model. */
export function schemaOf(projection: string, version: number): string {
  return `${projection}_v${version}`;
}
