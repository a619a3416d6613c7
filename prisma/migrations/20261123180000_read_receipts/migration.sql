-- How far users have read, from the stream CHAT_RECEIPTS. Not versioned like the read models that are built from the log:
-- a rebuild of those keeps it.
CREATE TABLE read_receipts (
  user_id         text NOT NULL,
  conversation_id text NOT NULL,
  -- The greatest sequence of the log that was read up to.
  read_seq        bigint NOT NULL,
  read_at         timestamptz NOT NULL,
  PRIMARY KEY (user_id, conversation_id)
);

-- One row: everything up to receipt_seq of this incarnation of the stream is in the table above.
CREATE TABLE read_receipts_checkpoint (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  stream      text NOT NULL,
  receipt_seq bigint NOT NULL
);
