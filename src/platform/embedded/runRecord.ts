import { processIdentity } from './processInfo.ts';
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from './runFile.ts';
import type { ServerEvent } from './supervisedServer.ts';

export interface RunRecordOptions {
  readonly roles: readonly string[];
  readonly natsUrl?: string | undefined;
  readonly databaseUrl?: string | undefined;
}

type Servers = Pick<RunFile, 'nats' | 'postgres'>;

/** Keeps this process' `run.json` true while its servers come and go. */
export class RunRecord {
  readonly #dataDir: string;
  readonly #app: RunFile['app'];
  readonly #servers: Servers;
  #published = false;

  constructor(dataDir: string, { roles, natsUrl, databaseUrl }: RunRecordOptions) {
    this.#dataDir = dataDir;
    const identity = processIdentity(process.pid) ?? '';
    this.#app = { pid: process.pid, roles: [...roles], identity };
    this.#servers = { nats: external(natsUrl), postgres: external(databaseUrl) };
  }

  /** Takes note of a server's new pid. */
  note(name: keyof Servers, event: ServerEvent): void {
    if (event.type !== 'serverStarted') return;
    this.#servers[name] = { url: event.url, pid: event.pid };
    if (this.#published) this.publish();
  }

  /**
   * Writes the file, and again on every later change. Where several processes share a data folder, the first one that
   * lives keeps the file.
   */
  publish(): void {
    const other = readRunFile(this.#dataDir)?.app;
    if (other !== undefined && other.pid !== process.pid && isRunning(other)) return;
    this.#published = true;
    writeRunFile(this.#dataDir, { ...this.#servers, app: this.#app });
  }

  remove(): void {
    if (this.#published && readRunFile(this.#dataDir)?.app.pid === process.pid) removeRunFile(this.#dataDir);
    this.#published = false;
  }
}

function external(url: string | undefined): RunFile['nats'] {
  return url === undefined ? null : { url, pid: null };
}

function isRunning(app: RunFile['app']): boolean {
  const identity = processIdentity(app.pid);
  return identity !== null && identity === app.identity;
}
