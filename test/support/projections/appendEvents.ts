import { encodeEvent } from '../../../src/contracts/events/events.ts';
import { type ChatEvent, categoryOf } from '../../../src/domain/conversation/events.ts';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { systemIds } from '../../../src/platform/ids.ts';

/** Appends events in order. @returns the sequence of the last one */
export async function appendEvents(log: MemoryEventLog, ...events: readonly ChatEvent[]): Promise<number> {
  let last = 0;
  for (const event of events) {
    const { conversationId } = event;
    const request = { conversationId, category: categoryOf(event), bytes: encodeEvent(event) };
    const result = await log.append({ ...request, idempotencyKey: systemIds.idempotencyKey() });
    if (result.outcome !== 'stored') throw new Error('An unconditional append cannot conflict');
    last = result.seq;
  }
  return last;
}
