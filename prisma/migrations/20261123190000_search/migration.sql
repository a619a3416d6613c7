-- Lets one GIN index hold a conversation's id beside its words (projections/search/schema.sql). A trusted extension: the
-- database's owner may create it.
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
