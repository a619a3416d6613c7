import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { waitFor } from '../time/waitFor.ts';
import { runFolderVariable } from './testRun.ts';

/**
 * Fails when something of this run is left: a process that inherited the run's mark, or a folder in the run's folder.
 * What is left is named, and the processes are killed.
 * Vitest's own workers carry the mark too and end by themselves.
 */
export async function assertNothingLeft(runFolder: string): Promise<void> {
  // A process that was just told to end may need a moment to be gone.
  await waitFor('the processes of the run to end', () => leftProcesses(runFolder).length === 0, {
    timeoutMs: 60_000,
  }).catch(() => undefined);
  const processes = leftProcesses(runFolder).map((line) => `process ${line}`);
  const folders = readdirSync(runFolder).map((name) => `folder ${name}`);
  const left = [...processes, ...folders];
  for (const line of leftProcesses(runFolder)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
  if (left.length > 0) throw new Error(`The tests left behind:\n  ${left.join('\n  ')}`);
}

function leftProcesses(runFolder: string): string[] {
  const mark = `${runFolderVariable}=${runFolder}`;
  const all = existsSync('/proc/self/environ') ? processesFromProc(mark) : processesFromPs(mark);
  return all.filter((line) => !line.startsWith(`${process.pid} `) && !/vitest|esbuild/.test(line));
}

function processesFromProc(mark: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environment.includes(mark)) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ')}`];
    } catch {
      // It ended meanwhile, or it is somebody else's.
      return [];
    }
  });
}

function processesFromPs(mark: string): string[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.trim()).filter((line) => line.includes(mark));
}
