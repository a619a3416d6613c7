import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { MessagePosted } from '../../src/domain/conversation/events.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { BATCH } from '../support/projecting.ts';

/**
 * The limit of the history projector: the rows of messages inserted by `unnest` into the same tables, with all their
 * indexes, in the order of the log over one connection, and nothing else: nothing is looked up, numbered or remembered.
 */
export class BareInserts {
  readonly #client: pg.PoolClient;
  #rows = 0;

  private constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  /** Makes the tables, in a schema of their own. */
  static async open(pool: pg.Pool): Promise<BareInserts> {
    const client = await pool.connect();
    await client.query('DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; SET search_path TO bare');
    await client.query(await readFile(new URL('projections/history/schema.sql', projectRootUrl()), 'utf8'));
    return new BareInserts(client);
  }

  /** @returns rows per second */
  async insert(posted: readonly MessagePosted[]): Promise<number> {
    const startedAt = performance.now();
    for (let start = 0; start < posted.length; start += BATCH) {
      await this.#insertBatch(posted.slice(start, start + BATCH));
    }
    return posted.length / ((performance.now() - startedAt) / 1_000);
  }

  async close(): Promise<void> {
    await this.#client.query('DROP SCHEMA bare CASCADE; SET search_path TO DEFAULT');
    this.#client.release();
  }

  async #insertBatch(rows: readonly MessagePosted[]): Promise<void> {
    const numbers = rows.map(() => ++this.#rows);
    await this.#client.query(
      `INSERT INTO bare.messages (message_id, conversation_id, seq, ordinal, user_id, client_message_id, content, at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                            $8::timestamptz[])`,
      [
        rows.map((row) => row.messageId),
        rows.map((row) => row.conversationId),
        numbers,
        numbers,
        rows.map((row) => row.userId),
        rows.map((row) => row.clientMessageId),
        rows.map((row) => row.content),
        rows.map((row) => row.at),
      ],
    );
  }
}
