-- The read model "search": the words of every message, for full-text search. Runs inside a schema of its own
-- (search_v<version>), which the search path names. The texts themselves are in the read model "history".

CREATE TABLE search_documents (
  message_id      text PRIMARY KEY,
  conversation_id text NOT NULL,
  -- Of a deleted message everything from here on is NULL and the row stays: a post that comes again after the deletion
  -- must not bring the words back. Nothing else of it is kept, so that the row is the same whether the message was
  -- seen before it was deleted or had been erased from the log by then.
  seq             bigint,
  user_id         text,
  at              timestamptz,
  -- Made by src/platform/text/searchVector.ts, never by a text search configuration: what those take for a word depends
  -- on the database's locale, and they drop or stem words of one language or another (docs/adr/0033).
  tsv             tsvector,
  -- Sequence of the edit that the words are from.
  edited_seq      bigint
);

-- Both in one index, so that a search in one's own conversations only touches the messages that are in them.
CREATE INDEX search_documents_words ON search_documents USING gin (conversation_id, tsv) WHERE tsv IS NOT NULL;
