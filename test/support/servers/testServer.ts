import { readdirSync, readFileSync, rmSync } from 'node:fs';
import type { EmbeddedServer } from '../../../src/platform/embedded/natsServer.ts';

/** A server of a test's own, in a temporary folder, that can be mistreated. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Changes with every restart. */
  readonly pid: number;
  readonly dataDir: string;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
  /** Ends the server if it runs and starts it again on the same port with the same data. */
  restart(): Promise<void>;
  /** Kills the server as a crash would, and resolves when it is gone. */
  kill9(): Promise<void>;
  /** Stops the server from running without ending it, as an overloaded machine would. */
  freeze(): void;
  thaw(): void;
}

/** Starts the server of a folder, on the given port or a free one. */
export type StartInFolder = (dataDir: string, port: number | undefined) => Promise<EmbeddedServer>;

export async function startTestServer(dataDir: string, start: StartInFolder): Promise<TestServer> {
  const removeFolder = (): void => rmSync(dataDir, { recursive: true, force: true });
  let server = await start(dataDir, undefined).catch((error: unknown) => {
    removeFolder();
    throw error;
  });
  const { url, port } = server;
  const thaw = (): void => signalTree(server.pid, 'SIGCONT');
  const end = async (): Promise<void> => {
    thaw();
    await server.stop();
  };
  return {
    url,
    port,
    dataDir,
    get pid() {
      return server.pid;
    },
    stop: () => end().finally(removeFolder),
    restart: async () => {
      await end();
      server = await start(dataDir, port);
    },
    kill9: async () => {
      signalTree(server.pid, 'SIGKILL');
      await server.exited;
    },
    freeze: () => {
      signalTree(server.pid, 'SIGSTOP');
      awaitStandstill(server.pid);
    },
    thaw,
  };
}

const FREEZE_MS_MAX = 30_000;

/** The signal is sent at once, but each thread stops only when it next enters the kernel. Linux only; elsewhere no wait. */
function awaitStandstill(pid: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + FREEZE_MS_MAX;
  while (threadStates(pid).some((state) => state !== 'T')) {
    if (Date.now() > deadline) throw new Error(`Process ${pid} still runs ${FREEZE_MS_MAX} ms after SIGSTOP`);
    Atomics.wait(pause, 0, 0, 1);
  }
}

function threadStates(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => {
      const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    });
  } catch {
    return [];
  }
}

/** PostgreSQL's backends are processes of their own, each in its own group. */
function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of [pid, ...childrenOf(pid)]) {
    try {
      process.kill(each, signal);
    } catch {
      // It ended already.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return childrenByParent(pid);
  }
}

/** For kernels without the list of children; nothing where there is no /proc. */
function childrenByParent(parent: number): number[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids
      .map(Number)
      .filter((pid) => readFileSync(`/proc/${pid}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`));
  } catch {
    return [];
  }
}
