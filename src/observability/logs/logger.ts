import pino, { type Logger } from 'pino';

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime });
}
