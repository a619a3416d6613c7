/** What a supervisor tells the outside about its server. */
export type ServerEvent =
  | { readonly type: 'serverStarted'; readonly url: string; readonly pid: number; readonly attempt: number }
  | { readonly type: 'serverDied'; readonly pid: number; readonly reason: string }
  | {
      readonly type: 'serverRestarting';
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | { readonly type: 'serverStopped' };

/** A server that runs: `exited` resolves, never rejects, with why it ended. */
export interface SupervisedServer {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** Starts the server and resolves when it answers; must clean up after itself when it rejects or is aborted. */
export type StartServer<S extends SupervisedServer> = (signal: AbortSignal) => Promise<S>;

export interface SuperviseOptions {
  readonly onEvent: (event: ServerEvent) => void;
  /** Longest time `stop()` may take. Default 40 s, more than a server's own stop signals take together. */
  readonly stopTimeoutMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
  readonly random?: () => number;
  /** Gives up the first start; later, stop() is the way. */
  readonly signal?: AbortSignal | undefined;
}
