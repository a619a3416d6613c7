/** Where a message is in the log; or up to where there certainly is none with its id. */
export type MessagePlace = { readonly seq: number } | { readonly missingUpTo: number };

/**
 * Where messages are in the log, as a read model knows it.
 *
 * In production: `src/queries/messagePlaces.ts`.
 */
export interface MessagePlaces {
  /** @throws ChatError database_unavailable */
  find(conversationId: string, messageId: string): Promise<MessagePlace>;
}
