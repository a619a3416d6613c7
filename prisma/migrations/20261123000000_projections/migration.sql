-- Bookkeeping of the projections. The read models themselves are versioned and made by their projections
-- (projections/*/schema.sql).

CREATE TABLE projection_versions (
  projection text NOT NULL,
  version    integer NOT NULL,
  -- building: beside the live one; live: what the views show; retired: kept a while, then dropped.
  status     text NOT NULL CHECK (status IN ('building', 'live', 'retired')),
  -- Epoch of the log it is built from.
  epoch      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (projection, version)
);
CREATE UNIQUE INDEX projection_versions_one_live ON projection_versions (projection) WHERE status = 'live';

-- One row per partition group: everything up to seq is in the read model. Moved by compare-and-set in the same
-- transaction as the rows, and only by the owner whose epoch is the latest.
CREATE TABLE projection_checkpoints (
  projection      text NOT NULL,
  version         integer NOT NULL,
  partition_group integer NOT NULL,
  seq             bigint NOT NULL,
  -- When the log stored the event at seq; null before the first.
  stored_at       timestamptz,
  owner_epoch     bigint NOT NULL DEFAULT 0,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (projection, version, partition_group),
  FOREIGN KEY (projection, version) REFERENCES projection_versions ON DELETE CASCADE
);
