import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import type { EventFeed, FollowedEvent, FollowOptions } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { openMemoryEdge } from '../../support/edge/memoryEdge.ts';
import { waitFor } from '../../support/time/waitFor.ts';

/** The log, but its tail can be made deaf without noticing. */
function withDeafTail() {
  const control = { deaf: false, slowStatus: false, slowAnswers: 0, epoch: null as string | null };
  const wrap = (log: MemoryEventLog): EventLog & EventFeed => ({
    get epoch() {
      return control.epoch ?? log.epoch;
    },
    get knownSeq() {
      return log.knownSeq;
    },
    append: (request) => log.append(request),
    latest: (id, category) => log.latest(id, category),
    at: (seq) => log.at(seq),
    erase: (seq) => log.erase(seq),
    renewEpoch: (renewal) => log.renewEpoch(renewal),
    status: async () => {
      const status = { ...(await log.status()), epoch: control.epoch ?? log.epoch };
      if (control.slowStatus) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        control.slowAnswers += 1;
      }
      return status;
    },
    follow: async (options: FollowOptions) => {
      let position = 0;
      let stopped = false;
      const followedWhen = { deaf: control.deaf };
      const onEvent = (event: FollowedEvent) => {
        if (stopped || (control.deaf && !followedWhen.deaf)) return;
        position = event.seq;
        options.onEvent(event);
      };
      const inner = await log.follow({ ...options, onEvent });
      position = Math.max(position, typeof options.after === 'number' ? options.after : 0);
      return {
        get position() {
          return position;
        },
        remaining: null,
        release: (count: number) => inner.release(count),
        stop: () => {
          stopped = true;
          return inner.stop();
        },
      };
    },
  });
  return { control, wrap };
}

test('a tail that stands still although the log goes on is replaced, and nothing is lost or repeated', async () => {
  const { control, wrap } = withDeafTail();
  const edge = await openMemoryEdge({ wrap });
  const conversationId = await edge.newConversation();
  const { request, socket } = edge.connect();
  await request({ op: 'join', conversationId });
  const seqs = [await edge.post(conversationId, 'heard')];
  control.deaf = true;
  for (let n = 0; n < 5; n++) seqs.push(await edge.post(conversationId, 'not heard'));
  await waitFor('the watchdog', () => edge.events.some(({ type }) => type === 'tailRestarted'));
  await waitFor('all events', () => socket.of('event').length === 6);
  expect(socket.of('event').map(({ seq }) => seq)).toEqual(seqs);
  expect(edge.realtime.feed.restarts).toBe(1);
  await waitFor('no lag', () => edge.realtime.feed.lagEvents === 0);
  await edge.stop();
});

test('when the log was replaced, every client is sent a resync, and joining again works', async () => {
  const { control, wrap } = withDeafTail();
  const edge = await openMemoryEdge({ wrap });
  const conversationId = await edge.newConversation();
  const { request, socket } = edge.connect();
  await request({ op: 'join', conversationId });
  control.epoch = 'another';
  await waitFor('resync', () => socket.of('resync').length === 1);
  expect(socket.of('resync')).toEqual([{ op: 'resync', conversationId, reason: 'epoch' }]);
  expect(edge.hub.channels).toBe(0);
  expect(await request({ op: 'join', conversationId })).toMatchObject({ op: 'joined', epoch: 'another' });
  const seq = await edge.post(conversationId, 'in the new log');
  await waitFor('the event', () => socket.of('event').at(-1)?.seq === seq);
  await edge.stop();
});

test('an answer that is older than what the tail has seen meanwhile is no other log', async () => {
  const { control, wrap } = withDeafTail();
  const edge = await openMemoryEdge({ wrap });
  const conversationId = await edge.newConversation();
  const { request, socket } = edge.connect();
  await request({ op: 'join', conversationId });
  control.slowStatus = true;
  let last = 0;
  while (control.slowAnswers < 3) {
    last = await edge.post(conversationId, 'busy');
    // Posting takes no turn of the event loop, and the answers need one.
    await nextTurn();
  }
  await waitFor('all events', () => socket.of('event').at(-1)?.seq === last);
  expect(edge.events).toEqual([]);
  expect(socket.of('resync')).toEqual([]);
  await edge.stop();
});
