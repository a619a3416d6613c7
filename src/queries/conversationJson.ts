import { Prisma } from '../platform/postgres/database.ts';
import { isoTime } from './messageJson.ts';

/** A row of `conversations`, under the alias `c`: what `json_build_object` takes for the `ConversationView` of the contracts. */
export const CONVERSATION_FIELDS = Prisma.sql`
  'id', c.id,
  'title', c.title,
  'visibility', c.visibility,
  'participantIds', c.participant_ids,
  'createdBy', c.created_by,
  'createdAt', ${isoTime('c.created_at')},
  'archived', c.archived`;
