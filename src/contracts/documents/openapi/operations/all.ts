import type { Operation } from '../operation.ts';
import { conversationOperations } from './conversations.ts';
import { docsOperations } from './docs.ts';
import { healthOperations } from './health.ts';
import { messageOperations } from './messages.ts';
import { readingOperations } from './reading.ts';
import { uploadOperations } from './uploads.ts';
import { userOperations } from './users.ts';

/** Everything that the HTTP API serves: a test compares it with the routes there are, both ways. */
export const OPERATIONS: readonly Operation[] = [
  ...conversationOperations,
  ...messageOperations,
  ...readingOperations,
  ...uploadOperations,
  ...userOperations,
  ...healthOperations,
  ...docsOperations,
];
