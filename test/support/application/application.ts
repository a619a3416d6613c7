import { createConversation } from '../../../src/application/commands/createConversation.ts';
import {
  type ApplicationContext,
  type ApplicationParts,
  openApplication,
} from '../../../src/application/context.ts';
import { ChatError } from '../../../src/contracts/errors.ts';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import type { ChatEvent } from '../../../src/domain/conversation/events.ts';
import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';

export type MemoryContext = ApplicationContext & { readonly memory: MemoryEventLog };

/**
 * The application of one process on the in-memory log, with a clock that moves a second with every look.
 *
 * @param wrap puts something between the application and the log, such as faults
 */
export function processOn(
  memory: MemoryEventLog,
  wrap: (log: EventLog) => EventLog = (log) => log,
): MemoryContext {
  let nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  const clock = {
    nowMs: () => {
      nowMs += 1_000;
      return nowMs;
    },
  };
  return { memory, ...applicationOn({ log: memory }, { log: wrap(memory), clock }) };
}

/** The application of one process on a log that was opened, without files, at the time of this machine. */
export function applicationOn(
  { log }: { readonly log: EventLog & EventFeed },
  parts: Partial<ApplicationParts> = {},
): ApplicationContext {
  const attachments = new MemoryAttachments();
  return openApplication({ log, feed: log, attachments, clock: systemClock, ids: systemIds, ...parts });
}

/** The same log, with some operations replaced. */
export function withLog(log: EventLog, replaced: Partial<EventLog>): EventLog {
  return {
    append: (request) => log.append(request),
    latest: (conversationId, category) => log.latest(conversationId, category),
    at: (seq) => log.at(seq),
    erase: (seq) => log.erase(seq),
    renewEpoch: (renewal) => log.renewEpoch(renewal),
    status: () => log.status(),
    epoch: log.epoch,
    get knownSeq() {
      return log.knownSeq;
    },
    ...replaced,
  };
}

/** A new conversation of alice and bob. */
export async function conversationOf(
  context: ApplicationContext,
  visibility: 'members' | 'open' = 'members',
): Promise<string> {
  const request = { userId: 'alice', title: 'Tea', visibility, participantIds: ['bob'] };
  return (await createConversation(context, request)).conversationId;
}

/** Everything that the log holds. */
export async function storedEvents(memory: MemoryEventLog): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const { lastSeq } = await memory.status();
  for (let seq = 1; seq <= lastSeq; seq++) {
    const stored = await memory.at(seq);
    if (stored !== null) events.push(decodeEvent(stored.bytes, seq));
  }
  return events;
}

/** What a client is told: everything about the error that a transport shows. */
export async function toldBy(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    const { code, message, status, retryable, errors } = error;
    return { code, message, status, retryable, errors };
  }
  throw new Error('Nothing was refused');
}
