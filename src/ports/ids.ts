/**
 * Makes identifiers; in the platform from chance and SHA-256, in tests from whatever the test wants.
 *
 * In production: `src/platform/ids.ts`.
 * Held by `test/unit/contracts/ids.test.ts`.
 */
export interface Ids {
  /** `c_` + 21 characters. */
  conversationId(): string;
  /** The same for the same user and key, and nobody else's. */
  derivedConversationId(userId: string, clientConversationId: string): string;
  /** `u_` + 21 characters. */
  uploadId(): string;
  /** A client message id for a client that sent none. */
  clientMessageId(): string;
  /** `m_` + 22 characters, always the same for the same three. */
  messageId(conversationId: string, userId: string, clientMessageId: string): string;
  /** An idempotency key for an append that is nobody's retry. */
  idempotencyKey(): string;
}
