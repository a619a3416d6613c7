/** What is to be stopped, in the reverse of the order in which it was started. */
export class StopSequence {
  readonly #stops: (() => Promise<unknown> | unknown)[] = [];
  #running: Promise<void> | null = null;

  add(stop: () => Promise<unknown> | unknown): void {
    this.#stops.push(stop);
  }

  /** Stops everything, also what comes after a failure; throws the first failure at the end. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
