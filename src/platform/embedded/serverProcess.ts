import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { ServerExitedEarlyError, ServerStartAbortedError, ServerStartTimeoutError } from './errors.ts';
import { logTail, openServerLog } from './serverLog.ts';

/** A server that was spawned by us and is, or was, running. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves, never rejects, with why the process ended: `code 0`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  /** Ends the process, politely first, and resolves when it is gone. Never hangs: the last signal is SIGKILL. */
  stop(): Promise<void>;
}

/** How a server is asked to end: each signal, and how long to wait before the next. SIGKILL follows the last. */
export type StopSignals = readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[];

export interface SpawnOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** Receives what the server prints. */
  readonly logFile: string;
  readonly stopSignals: StopSignals;
}

/** Spawns a server. Rejects with the system's error when the program cannot be run at all. */
export async function spawnServer(options: SpawnOptions): Promise<ServerProcess> {
  const log = openServerLog(options.logFile);
  try {
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      uid: options.uid,
      gid: options.gid,
      stdio: ['ignore', log, log],
      // A session of its own: Ctrl-C in the terminal must reach the app, which then stops its servers last.
      detached: true,
    });
    const exited = exitOf(child);
    await once(child, 'spawn');
    if (child.pid === undefined) throw new Error(`${options.command} was spawned without a pid`);
    return { pid: child.pid, exited, stop: () => stopChild(child, exited, options.stopSignals) };
  } finally {
    closeSync(log);
  }
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
    child.once('error', (error) => resolve(error.message));
  });
}

async function stopChild(child: ChildProcess, exited: Promise<string>, signals: StopSignals): Promise<void> {
  for (const { signal, waitMs } of signals) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (await endsWithin(exited, waitMs)) return;
  }
  child.kill('SIGKILL');
  await exited;
}

/** True when the promise settles within the time; leaves no timer behind. */
export async function endsWithin(ended: Promise<unknown>, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, waitMs, false);
  });
  const won = await Promise.race([ended.then(() => true), timeout]);
  clearTimeout(timer);
  return won;
}

export interface ReadyOptions {
  readonly server: string;
  readonly process: ServerProcess;
  /** Resolves true when the server answers; false means: not yet. A rejection ends the waiting. */
  readonly probe: () => Promise<boolean>;
  readonly timeoutMs: number;
  readonly logFile: string;
  readonly signal?: AbortSignal | undefined;
}

const probeEveryMs = 25;

/**
 * Waits until a spawned server answers; if it does not, the process is ended before the error is thrown.
 * @throws ServerExitedEarlyError, ServerStartTimeoutError, ServerStartAbortedError
 */
export async function waitUntilReady(options: ReadyOptions): Promise<void> {
  try {
    await probeUntilReady(options);
  } catch (error) {
    await options.process.stop();
    throw error;
  }
}

async function probeUntilReady({
  server,
  process,
  probe,
  timeoutMs,
  logFile,
  signal,
}: ReadyOptions): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (signal?.aborted) throw new ServerStartAbortedError(server);
    if (await probe()) return;
    if (await endsWithin(process.exited, probeEveryMs)) {
      throw new ServerExitedEarlyError(server, await process.exited, logFile, logTail(logFile));
    }
  }
  throw new ServerStartTimeoutError(server, timeoutMs, logFile, logTail(logFile));
}
