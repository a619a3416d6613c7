import { Events, type NatsConnection } from 'nats';

export interface ConnectionWatcher {
  readonly onDisconnect?: () => void;
  readonly onReconnect: () => void;
}

/**
 * Tells any number of short-lived watchers when a connection is lost and found again. One reader of the client's
 * status serves all: each `status()` iterator lives as long as the connection, so one per reader would pile up.
 */
export class ConnectionWatch {
  readonly #watchers = new Set<ConnectionWatcher>();

  constructor(connection: NatsConnection) {
    void this.#run(connection);
  }

  /** @returns a function that ends the watching */
  add(watcher: ConnectionWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async #run(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      for (const watcher of this.#watchers) {
        if (status.type === Events.Disconnect) watcher.onDisconnect?.();
        if (status.type === Events.Reconnect) watcher.onReconnect();
      }
    }
  }
}
