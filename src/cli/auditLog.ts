import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../platform/config/config.ts';
import { printableJson } from './printable.ts';

/** What an operator did, and how it ended; `begun` comes before anything is done. */
export interface AuditRecord {
  readonly action: string;
  readonly outcome: 'begun' | 'done' | 'failed';
  readonly reason: string | null;
  readonly [detail: string]: unknown;
}

/**
 * Writes one line of JSON on standard error, and where CHAT_DATA_DIR exists to `audit.log` in it too, on disk before this
 * returns: what cannot be noted is not done.
 *
 * @throws Error when the file cannot be written
 */
export function writeAudit({ dataDir }: Pick<Config, 'dataDir'>, record: AuditRecord): void {
  const entry = { time: new Date().toISOString(), audit: true, operator: userInfo().username, ...record };
  // Names are what people chose, and this goes to a terminal.
  const line = `${printableJson(entry)}\n`;
  if (existsSync(dataDir)) {
    const file = openSync(join(dataDir, 'audit.log'), 'a', 0o600);
    try {
      writeSync(file, line);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
  process.stderr.write(line);
}
