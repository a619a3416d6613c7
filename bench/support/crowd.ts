import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface CrowdOptions {
  readonly port: number;
  readonly path: string;
  readonly sockets: number;
  /** Text frames that each socket sends, one after the other, once the server has answered what came before. */
  readonly hello?: readonly string[];
  /** Processes that hold the sockets. Default 1. */
  readonly processes?: number;
}

/** Many WebSockets that only read, in processes of their own, as cheaply as can be. */
export interface Crowd {
  /** Frames of at least 100 bytes that all have received together. */
  frames(): Promise<number>;
  /** Resolves when they have received this number since they were opened. */
  received(frames: number): Promise<void>;
  close(): Promise<void>;
}

export async function openCrowd(options: CrowdOptions): Promise<Crowd> {
  const { processes = 1, sockets } = options;
  const children = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = fork(new URL('./crowdProcess.js', import.meta.url));
      child.send({ ...options, sockets: sockets / processes });
      await once(child, 'message');
      return child;
    }),
  );
  const frames = async () => {
    const counts = await Promise.all(children.map(count));
    return counts.reduce((sum, each) => sum + each, 0);
  };
  return {
    frames,
    received: async (wanted) => {
      const deadline = performance.now() + 60_000;
      while ((await frames()) < wanted) {
        if (performance.now() > deadline)
          throw new Error(`${await frames()} of ${wanted} frames came in a minute`);
        await delay(2);
      }
    },
    close: async () => {
      const gone = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
      await Promise.all(gone);
    },
  };
}

async function count(child: ChildProcess): Promise<number> {
  child.send('frames?');
  const [frames] = (await once(child, 'message')) as [number];
  return frames;
}
