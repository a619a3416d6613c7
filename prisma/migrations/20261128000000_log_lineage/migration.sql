-- The epochs that the log has had, as the projectors saw them. The log's own description names only the latest two, and
-- a power cut can take it back to an older one: here its lineage survives that.
CREATE TABLE log_epochs (
  epoch        text PRIMARY KEY,
  -- The identity of the log: the same through all its epochs.
  log_id       text NOT NULL,
  -- The order in which epochs came.
  ordinal      bigint GENERATED ALWAYS AS IDENTITY,
  -- Sequences and fingerprints of its first events, to know the log again that has lost its description.
  first_events jsonb NOT NULL DEFAULT '[]',
  noted_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX log_epochs_log ON log_epochs (log_id, ordinal);
