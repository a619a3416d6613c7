/** What a graceful stop needs of a transport. */
export interface Drainable {
  readonly connections: number;
  /** Requests that were not answered yet. */
  readonly underWay: number;
  /** Tells every client to come back after a while, each after one of its own. */
  announceDraining(retryAfterMs: () => number): void;
  /** Closes up to so many connections. */
  closeSome(count: number): void;
}
