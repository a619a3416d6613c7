/** Users whose presence one request may ask for, at most. How many fit into a path depends on their length. */
export const PRESENCE_USERS_MAX = 200;

/** Characters of one search, at most. Bounds what a search may ask of Postgres. */
export const SEARCH_LENGTH_MAX = 200;

/** For queries, which know nothing of the domain. */
export { REACTION_KINDS_MAX } from '../domain/conversation/message.ts';
