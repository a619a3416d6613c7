import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { Ids } from '../ports/ids.ts';

/** Identifiers from the system's randomness and SHA-256. */
export const systemIds: Ids = {
  conversationId: () => `c_${chance()}`,
  // Neither an import's, whatever the user is called.
  derivedConversationId: (userId, key) => `c_${digest('conversation of', userId, key).slice(0, 21)}`,
  uploadId: () => `u_${chance()}`,
  clientMessageId: () => randomUUID(),
  messageId: (conversationId, userId, clientMessageId) =>
    `m_${digest(conversationId, userId, clientMessageId).slice(0, 22)}`,
  idempotencyKey: () => randomUUID(),
};

/** 16 bytes are 22 characters of base64url; 21 of them hold 126 bits of chance. */
function chance(): string {
  return randomBytes(16).toString('base64url').slice(0, 21);
}

/** Conversations that an import makes are named after their source, so that importing again finds them. */
export function derivedConversationId(source: string, name: string): string {
  return `c_${digest('conversation', source, name).slice(0, 21)}`;
}

/** base64url(sha256) of parts that cannot run into each other: none of them may hold the separator NUL. */
export function digest(...parts: readonly string[]): string {
  return hash('sha256', parts.join('\0'), 'base64url');
}

/** Names this process among those that announce presence. */
export function newEdgeId(): string {
  return randomUUID();
}

/** Names a new incarnation of the log. */
export function newEpoch(): string {
  return `e${randomBytes(6).toString('hex')}`;
}
