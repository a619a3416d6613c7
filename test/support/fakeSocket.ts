import type { ClientSocket } from '../../src/edge/socket.ts';

/** A client's connection that only remembers; its topics are fed by {@link FakeSocket.publish}. */
export class FakeSocket implements ClientSocket {
  readonly userId: string;
  readonly topics = new Set<string>();
  readonly frames: Record<string, unknown>[] = [];
  closedWith: number | null = null;
  open = true;

  constructor(userId = 'alice') {
    this.userId = userId;
  }

  send(frame: string | Uint8Array): boolean {
    this.frames.push(JSON.parse(typeof frame === 'string' ? frame : new TextDecoder().decode(frame)));
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(topic: string): void {
    this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }

  close(code: number): void {
    this.closedWith = code;
  }

  /** What the transport does with a published frame. */
  publish(topic: string, frame: Uint8Array): void {
    if (this.topics.has(topic)) this.send(frame);
  }

  of(op: string): Record<string, unknown>[] {
    return this.frames.filter((frame) => frame.op === op);
  }
}
