/** Functions that want to know of something, by kind. One that throws does not keep the others from knowing. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** @returns what takes the listener away again */
  on<Kind extends keyof Events>(kind: Kind, listener: (event: Events[Kind]) => void): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners);
    // Wrapped, so that the same function added twice is called twice and removed one by one.
    const entry = (event: Events[Kind]) => listener(event);
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  emit<Kind extends keyof Events>(kind: Kind, event: Events[Kind]): void {
    for (const listener of [...(this.#listeners.get(kind) ?? [])]) {
      call(listener as (event: Events[Kind]) => void, event);
    }
  }
}

/** What a listener throws is the app's bug: it surfaces as uncaught, and the client's own state stays whole. */
export function call<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
