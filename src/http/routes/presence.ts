import type { Request, Router } from 'express';
import { PresenceQuery } from '../../contracts/http/requests.ts';
import { sendJsonPage } from '../answer/conditional.ts';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { queryPairs } from '../request/query.ts';
import { check } from '../request/validate.ts';

/** Who is online, from memory, and from Redis when there is one: neither the log nor the database is asked. */
export function presenceRoutes(router: Router, deps: HttpDeps): void {
  resource(router, '/api/chat/presence', { get: read(deps) });
}

function read({ realtime: { presence } }: HttpDeps): Handler {
  return async (req, res) => {
    const { userIds } = check(PresenceQuery, presenceFields(req));
    const online = await presence.online(userIds);
    const states = userIds.map((userId) => [userId, online.has(userId) ? 'online' : 'offline']);
    // Defines each key, so that a user of the name __proto__ is one like any other.
    sendJsonPage(res, { json: JSON.stringify({ presence: Object.fromEntries(states) }) });
  };
}

/**
 * The fields of the query. `userIds` given once is a list with commas; given several times, each is one id, whatever it
 * holds. Whether a comma is percent-encoded does not matter: `URLSearchParams` encodes the one that separates, too.
 */
function presenceFields(req: Request): Record<string, unknown> {
  const pairs = queryPairs(req);
  const fields: Record<string, unknown> = Object.fromEntries(pairs);
  const values = pairs.filter(([name]) => name === 'userIds').map(([, value]) => value);
  const [first, ...others] = values;
  if (first === undefined) return fields;
  return { ...fields, userIds: others.length > 0 ? values : first.split(',') };
}
