import { type ApplicationContext, openApplication } from '../../src/application/context.ts';
import { MemoryAttachments } from '../../src/eventlog/memory/memoryAttachments.ts';
import { systemIds } from '../../src/platform/ids.ts';
import { systemClock } from '../../src/platform/time/clock.ts';
import type { EventFeed } from '../../src/ports/eventFeed.ts';
import type { EventLog } from '../../src/ports/eventLog.ts';

/** The application of one process, as the composition root opens it, without a store of files. */
export function benchApplication(log: EventLog & EventFeed): ApplicationContext {
  const attachments = new MemoryAttachments();
  return openApplication({ log, feed: log, attachments, clock: systemClock, ids: systemIds });
}
