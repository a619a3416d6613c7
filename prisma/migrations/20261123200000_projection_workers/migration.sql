-- Several workers share the partition groups of a projection, each group with a lease of its own; conversations whose
-- events cannot be projected wait aside; an operator may pause a projection.

-- The tables' format, so that code never writes into tables that it does not know.
ALTER TABLE projection_versions ADD COLUMN format integer NOT NULL DEFAULT 1;
-- Since when it is retired: it is dropped some time later.
ALTER TABLE projection_versions ADD COLUMN retired_at timestamptz;

ALTER TABLE projection_checkpoints
  -- Of the bytes that the log held at seq, to notice a log that lost its tail and went on.
  ADD COLUMN fingerprint text,
  -- Who works on this group, and until when nobody else may take it over.
  ADD COLUMN owner text,
  ADD COLUMN lease_until timestamptz;

-- Who works on a projection, as they say themselves every two seconds.
CREATE TABLE projection_workers (
  projection text NOT NULL,
  -- host:pid:random
  worker     text NOT NULL,
  -- The version it builds beside the live one; null: it works on the live one.
  version    integer,
  state      text NOT NULL,
  -- Why it is in that state, when it is one that needs saying.
  reason     text,
  seen_until timestamptz NOT NULL,
  PRIMARY KEY (projection, worker)
);

-- What an operator wants of a projection; no row: that it runs.
CREATE TABLE projection_controls (
  projection text PRIMARY KEY,
  paused     boolean NOT NULL,
  -- Raised by every "resume": a halted worker that sees it change tries again.
  resumes    integer NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- Conversations of which an event could not be projected: it and everything behind it waits in the log.
CREATE TABLE parked_conversations (
  projection         text NOT NULL,
  version            integer NOT NULL,
  conversation_id    text NOT NULL,
  partition_group    integer NOT NULL,
  -- The event to begin with again: everything before it is in the read model.
  seq                bigint NOT NULL,
  error              text NOT NULL,
  attempts           integer NOT NULL,
  parked_at          timestamptz NOT NULL DEFAULT now(),
  -- An operator wants it tried again; null: nobody does, or it was tried and failed.
  retry_requested_at timestamptz,
  PRIMARY KEY (projection, version, conversation_id),
  FOREIGN KEY (projection, version) REFERENCES projection_versions ON DELETE CASCADE
);
