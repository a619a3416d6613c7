/**
 * The latest sequence of conversations that events passed for not long ago, in two generations: when the young one is
 * full it becomes the old one, and what was in the old one is forgotten. So at least `max / 2` of the most recently
 * noted are known, at most `max` are held, and a note costs one write to a map: a third of what an exact LRU takes,
 * and this runs for every event of the log.
 */
export class RecentHeads {
  readonly #youngMax: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(max: number) {
    this.#youngMax = Math.max(1, Math.floor(max / 2));
  }

  get(conversationId: string): number | undefined {
    return this.#young.get(conversationId) ?? this.#old.get(conversationId);
  }

  set(conversationId: string, seq: number): void {
    this.#young.set(conversationId, seq);
    if (this.#young.size <= this.#youngMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
