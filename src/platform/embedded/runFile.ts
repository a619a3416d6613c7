import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../files/durableFile.ts';

const serverSchema = z.object({
  url: z.string(),
  /** Null for a server that is not ours. */
  pid: z.number().int().positive().nullable(),
});

/** What `run.json` says of the running system, so that the command line finds it. */
export const runFileSchema = z.object({
  nats: serverSchema.nullable(),
  postgres: serverSchema.nullable(),
  app: z.object({
    pid: z.number().int().positive(),
    roles: z.array(z.string()),
    /** Tells this process from a later one with the same pid; see processInfo.ts. */
    identity: z.string().optional(),
  }),
});

export type RunFile = z.infer<typeof runFileSchema>;

export function runFilePath(dataDir: string): string {
  return join(dataDir, 'run.json');
}

/** Null when there is no such file or it is not one of ours: then nothing is known to run. */
export function readRunFile(dataDir: string): RunFile | null {
  try {
    const content: unknown = JSON.parse(readFileSync(runFilePath(dataDir), 'utf8'));
    return runFileSchema.safeParse(content).data ?? null;
  } catch {
    return null;
  }
}

/** A reader never meets half a file. Readable by its owner: it holds a password. */
export function writeRunFile(dataDir: string, content: RunFile): void {
  writeDurably(runFilePath(dataDir), `${JSON.stringify(content, null, 2)}\n`);
}

export function removeRunFile(dataDir: string): void {
  rmSync(runFilePath(dataDir), { force: true });
}
