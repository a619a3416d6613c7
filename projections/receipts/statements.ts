/**
 * How far users have read. A receipt never moves anybody backwards, so the same one may come again.
 *
 * @param $1 user ids, $2 conversation ids, $3 sequences read up to, $4 times
 */
export const UPSERT_RECEIPTS = `
  INSERT INTO read_receipts AS known (user_id, conversation_id, read_seq, read_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
  ON CONFLICT (user_id, conversation_id) DO UPDATE
    SET read_seq = excluded.read_seq, read_at = excluded.read_at
    WHERE known.read_seq < excluded.read_seq`;

/** @param $1 the stream's incarnation, $2 the position in it */
export const MOVE_CHECKPOINT = `
  INSERT INTO read_receipts_checkpoint (stream, receipt_seq) VALUES ($1, $2)
  ON CONFLICT (only_row) DO UPDATE SET stream = excluded.stream, receipt_seq = excluded.receipt_seq`;

export const READ_CHECKPOINT = 'SELECT stream, receipt_seq FROM read_receipts_checkpoint';
