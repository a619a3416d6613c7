import type { ConnectionWatch, ConnectionWatcher } from '../../platform/nats/connectionWatch.ts';

/**
 * A connection that counts as found again only when something was confirmed: a server that comes back may come back with
 * another log. A watcher behind this sends nothing before.
 */
export class ConfirmedWatch implements Pick<ConnectionWatch, 'add'> {
  readonly #watch: Pick<ConnectionWatch, 'add'>;
  readonly #confirm: (isWanted: () => boolean) => Promise<unknown>;

  /** @param confirm resolves when it is, or when it is not wanted any more because the connection broke again */
  constructor(watch: Pick<ConnectionWatch, 'add'>, confirm: (isWanted: () => boolean) => Promise<unknown>) {
    this.#watch = watch;
    this.#confirm = confirm;
  }

  add(watcher: ConnectionWatcher): () => void {
    let connection = 0;
    return this.#watch.add({
      onDisconnect: () => {
        connection += 1;
        watcher.onDisconnect?.();
      },
      onReconnect: () => {
        connection += 1;
        const isWanted = (
          (confirmed) => () =>
            confirmed === connection
        )(connection);
        void this.#confirm(isWanted).finally(() => {
          if (isWanted()) watcher.onReconnect();
        });
      },
    });
  }
}
