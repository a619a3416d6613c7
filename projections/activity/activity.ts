import type { ClientBase } from 'pg';
import type { Projection } from '../runner/projection.ts';
import { type ActivityChanges, projectActivity } from './changes.ts';
import { addToConversations, addToHours, countErased, digestActivity, noteHoles } from './statements.ts';

/** How much is said when and where: what the business metrics are read from. */
export function activityProjection(projectRoot: URL): Projection<ActivityChanges> {
  return {
    name: 'activity',
    format: 1,
    schemaSql: new URL('projections/activity/schema.sql', projectRoot),
    relations: ['activity_hours', 'activity_conversations'],
    project: projectActivity,
    write: writeActivity,
    digestSql: digestActivity,
  };
}

/** Order matters: a tombstone may speak of a hole of the same batch. */
async function writeActivity(client: ClientBase, schema: string, changes: ActivityChanges): Promise<void> {
  const { group, hours, conversations, holes, erased } = changes;
  if (hours.length > 0) {
    await client.query(addToHours(schema), [
      group,
      hours.map(({ hour }) => hour),
      hours.map(({ messages }) => messages),
      hours.map(({ conversationsCreated }) => conversationsCreated),
    ]);
  }
  if (conversations.length > 0) {
    await client.query(addToConversations(schema), [
      conversations.map(({ conversationId }) => conversationId),
      conversations.map(({ messages }) => messages),
      conversations.map(({ at }) => at),
    ]);
  }
  if (holes.length > 0) await client.query(noteHoles(schema), [group, holes]);
  if (erased.length > 0) {
    await client.query(countErased(schema), [
      group,
      erased.map(({ seq }) => seq),
      erased.map(({ conversationId }) => conversationId),
      erased.map(({ at }) => at),
      erased.map(({ hour }) => hour),
    ]);
  }
}
