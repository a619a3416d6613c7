import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { OrphanStillRunningError } from './errors.ts';
import { commandLine, isAlive } from './processInfo.ts';
import type { StopSignals } from './serverProcess.ts';

export interface OrphanOptions {
  readonly server: string;
  /** Its first line is the pid. */
  readonly pidFile: string;
  /** The process is ours only if its command line names this folder. */
  readonly dataDir: string;
  readonly stopSignals: StopSignals;
}

const pollEveryMs = 25;
const killWaitMs = 5_000;

/**
 * Ends the server that a killed earlier run left behind, politely first. Does nothing when the pid is dead or belongs
 * to something else. Returns whether there was one.
 *
 * @throws OrphanStillRunningError
 */
export async function stopOrphan({ server, pidFile, dataDir, stopSignals }: OrphanOptions): Promise<boolean> {
  const pid = readPid(pidFile);
  if (pid === null || !commandLine(pid)?.includes(`${dataDir}/`)) return false;
  for (const { signal, waitMs } of [...stopSignals, { signal: 'SIGKILL', waitMs: killWaitMs } as const]) {
    if (!sendSignal(pid, signal) || (await isGoneWithin(pid, waitMs))) return true;
  }
  throw new OrphanStillRunningError(server, pid);
}

function readPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** False when the process is gone already. */
function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function isGoneWithin(pid: number, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    if (!isAlive(pid)) return true;
    await delay(pollEveryMs);
  }
  return !isAlive(pid);
}
