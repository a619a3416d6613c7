import { expect, test } from 'vitest';
import type { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import type { EventFeed, FollowedEvent, FollowOptions } from '../../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../../src/ports/eventLog.ts';
import { openMemoryEdge } from '../../../support/edge/memoryEdge.ts';
import { waitFor } from '../../../support/time/waitFor.ts';

/** A tail that is held back, and let go on. */
function heldTail() {
  const held: (() => void)[] = [];
  const control = {
    holds: false,
    release: () => {
      control.holds = false;
      for (const deliver of held.splice(0)) deliver();
    },
  };
  const wrap = (log: MemoryEventLog): EventLog & EventFeed => {
    const follow = (options: FollowOptions) => {
      const onEvent = (event: FollowedEvent) => {
        if (control.holds) held.push(() => options.onEvent(event));
        else options.onEvent(event);
      };
      return log.follow(options.conversationId === undefined ? { ...options, onEvent } : options);
    };
    return new Proxy(log, {
      get: (target, name) => {
        if (name === 'follow') return follow;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { control, wrap };
}

test('a client that is ahead of this edge is not sent again what it has', async () => {
  const { control, wrap } = heldTail();
  const edge = await openMemoryEdge({ wrap });
  const conversationId = await edge.newConversation();
  await waitFor('the edge to know the conversation', () => edge.realtime.context.recent.to === 1);
  control.holds = true;
  // Sent through another process, and seen there.
  const seen = await edge.post(conversationId, 'seen elsewhere');
  const { request, socket } = edge.connect('bob');
  const joining = request({ op: 'join', conversationId, after: seen });
  await waitFor('the join to be on its way', () => edge.hub.channels === 1);
  control.release();
  expect(await joining).toMatchObject({ op: 'joined', head: seen });
  const next = await edge.post(conversationId, 'next');
  await waitFor('the next one', () => socket.of('event').at(-1)?.seq === next);
  expect(socket.of('event').map(({ seq, prev }) => [seq, prev])).toEqual([[next, seen]]);
  await edge.stop();
});

test('an edge that does not get as far as its client refuses the join, and says that a later one may do', async () => {
  const { control, wrap } = heldTail();
  const edge = await openMemoryEdge({ wrap });
  const conversationId = await edge.newConversation();
  await waitFor('the edge to know the conversation', () => edge.realtime.context.recent.to === 1);
  control.holds = true;
  const seen = await edge.post(conversationId, 'seen elsewhere');
  const { request } = edge.connect('bob');
  const answer = await request({ op: 'join', conversationId, after: seen });
  expect(answer).toMatchObject({ op: 'error', code: 'log_unavailable', retryable: true });
  expect(edge.hub.channels).toBe(0);
  control.release();
  await edge.stop();
});
