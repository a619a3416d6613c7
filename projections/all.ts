import { activityProjection } from './activity/activity.ts';
import { historyProjection } from './history/history.ts';
import { inboxProjection } from './inbox/inbox.ts';
import type { Projection } from './runner/projection.ts';
import { searchProjection } from './search/search.ts';

/**
 * Every read model there is. The changes of each are its own affair, so no other code names their type.
 *
 * @param projectRoot the folder that holds `projections/`
 */
// biome-ignore lint/suspicious/noExplicitAny: see above; `unknown` would make `write` of no use to anybody
export function allProjections(projectRoot: URL): readonly Projection<any>[] {
  return [
    historyProjection(projectRoot),
    inboxProjection(projectRoot),
    searchProjection(projectRoot),
    activityProjection(projectRoot),
  ];
}
