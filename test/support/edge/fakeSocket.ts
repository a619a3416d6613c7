import type { ServerFrame } from '../../../src/contracts/frames/serverFrames.ts';
import type { LinkedEvent } from '../../../src/edge/linkedEvent.ts';
import type { ClientSocket, Fanout } from '../../../src/edge/transport.ts';

/** Publishes to fake sockets, as uWebSockets.js does to real ones. */
export class FakeFanout implements Fanout {
  readonly sockets = new Set<FakeSocket>();

  publish(conversationId: string, event: LinkedEvent): void {
    for (const socket of this.sockets) if (socket.topics.has(conversationId)) socket.deliver(event);
  }
}

/** A client's connection that only remembers what it was sent. */
export class FakeSocket implements ClientSocket {
  readonly userId: string;
  readonly fanout: FakeFanout;
  readonly topics = new Set<string>();
  readonly frames: Record<string, unknown>[] = [];
  open = true;

  constructor(userId = 'alice', fanout = new FakeFanout()) {
    this.userId = userId;
    this.fanout = fanout;
    fanout.sockets.add(this);
  }

  reply(frame: ServerFrame): void {
    if (this.open) this.frames.push(JSON.parse(JSON.stringify(frame)));
  }

  deliver(event: LinkedEvent): boolean {
    if (this.open) this.frames.push(JSON.parse(Buffer.from(event.frame('native')).toString()));
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(conversationId: string): void {
    this.topics.add(conversationId);
  }

  unsubscribe(conversationId: string): void {
    this.topics.delete(conversationId);
  }

  close(): void {
    this.open = false;
    this.fanout.sockets.delete(this);
  }

  of(op: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.op === op);
  }
}
