import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/**
 * What the operating system knows of a process. A pid alone proves nothing, since pids are reused: a caller that acts on a
 * pid found in a file compares its identity or its command line first.
 */

const hasProc = existsSync('/proc/self/stat');

/**
 * A string that no later process with the same pid has: its start time, and on Linux the boot too.
 * Null when no such process lives; a zombie counts as dead.
 */
export function processIdentity(pid: number): string | null {
  return hasProc ? identityFromProc(pid) : identityFromPs(pid);
}

/** The arguments of a running process joined by a space; null when no such process lives. */
export function commandLine(pid: number): string | null {
  if (processIdentity(pid) === null) return null;
  if (!hasProc) return ps(pid, 'command=');
  const bytes = readOrNull(`/proc/${pid}/cmdline`);
  return bytes === null ? null : bytes.split('\0').join(' ').trimEnd();
}

export function isAlive(pid: number): boolean {
  return processIdentity(pid) !== null;
}

function identityFromProc(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // Field 2 is the program's name in brackets and may itself hold spaces and brackets, so count from its end:
  // field 3 is the state, field 22 the start time in clock ticks since boot (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  const bootId = readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${fields[19]}@${bootId}`;
}

function identityFromPs(pid: number): string | null {
  const state = ps(pid, 'stat=');
  return state === null || state.startsWith('Z') ? null : ps(pid, 'lstart=');
}

function ps(pid: number, column: string): string | null {
  try {
    const output = execFileSync('ps', ['-o', column, '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 5_000,
    });
    return output.trim() === '' ? null : output.trim();
  } catch {
    return null;
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
