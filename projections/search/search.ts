import type { ClientBase } from 'pg';
import { searchVector } from '../../src/platform/text/searchVector.ts';
import type { Projection } from '../runner/projection.ts';
import { projectSearch, type SearchChanges } from './changes.ts';
import { deleteDocuments, digestSearch, editDocuments, insertDocuments } from './statements.ts';

/** The words of the messages that are not deleted: what searches are answered from. */
export function searchProjection(projectRoot: URL): Projection<SearchChanges> {
  return {
    name: 'search',
    format: 2,
    schemaSql: new URL('projections/search/schema.sql', projectRoot),
    relations: ['search_documents'],
    project: projectSearch,
    write: writeSearch,
    digestSql: digestSearch,
  };
}

/** Order matters: edits need their message. */
async function writeSearch(
  client: ClientBase,
  schema: string,
  { posted, edited, deleted }: SearchChanges,
): Promise<void> {
  if (posted.length > 0) await client.query(insertDocuments(schema), documentColumns(posted));
  if (edited.length > 0) {
    await client.query(editDocuments(schema), [
      edited.map(({ event }) => event.messageId),
      edited.map(({ seq }) => seq),
      edited.map(({ event }) => searchVector(event.content)),
    ]);
  }
  if (deleted.length > 0) {
    await client.query(deleteDocuments(schema), [
      deleted.map(({ messageId }) => messageId),
      deleted.map(({ conversationId }) => conversationId),
    ]);
  }
}

function documentColumns(posted: SearchChanges['posted']): unknown[][] {
  return [
    posted.map(({ event }) => event.messageId),
    posted.map(({ event }) => event.conversationId),
    posted.map(({ seq }) => seq),
    posted.map(({ event }) => event.userId),
    posted.map(({ event }) => event.at),
    posted.map(({ event }) => searchVector(event.content)),
  ];
}
