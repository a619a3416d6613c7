import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';

/** A log file is emptied at the start of its server when it is larger. */
const logBytesMax = 10 * 1024 * 1024;
const tailBytesMax = 2_000;

/** Opens a server's log for appending and returns its file descriptor, which the caller closes. */
export function openServerLog(file: string): number {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > logBytesMax) truncateSync(file);
  return openSync(file, 'a', 0o600);
}

/** The last lines of a log, for an error message. */
export function logTail(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, tailBytesMax));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd();
  } catch {
    return '(no log)';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
