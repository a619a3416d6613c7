import type { PresencePart, PresenceSignal } from '../../contracts/signals.ts';

export interface PresenceRosterOptions {
  /** Users remembered, at most, each counted once for every edge that has them. */
  readonly usersMax: number;
  /** Edges remembered, at most. */
  readonly edgesMax: number;
  /** Consecutive sweeps without an announcement after which an edge is forgotten. */
  readonly silentSweepsMax: number;
}

interface Edge {
  /** The latest round that began. */
  round: number;
  /** The part of it that must come next; null when one was missed, or the round is over. */
  partNext: number | null;
  /** Sweeps since it was heard. */
  silentSweeps: number;
  /** Its users, each with the round in which it was last named. */
  readonly users: Map<string, number>;
}

/**
 * Who is online on other edges, from what they announce.
 *
 * A change names users that came or went, a round names in parts everybody there is. An announcement may get lost:
 * - a lost arrival is made up for by the next round, whose parts add whom they name;
 * - a lost departure is made up for by the next round that is heard whole, from part 0 to the last without a gap: who
 *   was not named since it began (in a part of it, or in a change in between) is gone. A round with a gap removes nobody;
 * - an edge that is not heard in `silentSweepsMax` sweeps is gone with all its users. Sweeps are counted instead of
 *   reading a clock, so neither a clock that jumps nor a process that was suspended makes everybody go.
 *
 * Invariants: a user counts as online while at least one edge has them; `users` holds, for each of them, on how many
 * edges; their sum is `#sightings`, which never exceeds `usersMax`. Beyond it the user known for longest is dropped,
 * everywhere; beyond `edgesMax` a new edge is not taken. Both are counted and, since rounds are repeated, made good once
 * there is room.
 */
export class PresenceRoster {
  readonly #options: PresenceRosterOptions;
  readonly #edges = new Map<string, Edge>();
  readonly #users = new Map<string, number>();
  #sightings = 0;
  #dropped = 0;

  constructor(options: PresenceRosterOptions) {
    this.#options = options;
  }

  /** Users that were dropped, or not taken, for lack of room; each time counts. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Users remembered, each counted once for every edge. */
  get size(): number {
    return this.#sightings;
  }

  get edges(): number {
    return this.#edges.size;
  }

  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  hear(signal: PresenceSignal): void {
    const edge = this.#edges.get(signal.edgeId) ?? this.#admit(signal.edgeId);
    if (edge === null) {
      this.#dropped += signal.online.length;
      return;
    }
    edge.silentSweeps = 0;
    if (signal.full) {
      this.#hearPart(edge, signal);
      // The edge says that it has nobody. The next user there makes it known again.
      if (edge.users.size === 0) this.#edges.delete(signal.edgeId);
      return;
    }
    for (const userId of signal.online) this.#add(edge, userId);
    for (const userId of signal.offline) this.#remove(edge, userId);
  }

  /** To be called at even intervals. */
  sweep(): void {
    for (const [edgeId, edge] of this.#edges) {
      edge.silentSweeps += 1;
      if (edge.silentSweeps < this.#options.silentSweepsMax) continue;
      for (const userId of edge.users.keys()) this.#remove(edge, userId);
      this.#edges.delete(edgeId);
    }
  }

  #admit(edgeId: string): Edge | null {
    if (this.#edges.size >= this.#options.edgesMax) return null;
    const edge: Edge = { round: 0, partNext: null, silentSweeps: 0, users: new Map() };
    this.#edges.set(edgeId, edge);
    return edge;
  }

  #hearPart(edge: Edge, { round, part, last, online }: PresencePart): void {
    const follows = part === 0 || (round === edge.round && part === edge.partNext);
    if (part === 0) edge.round = round;
    edge.partNext = follows ? part + 1 : null;
    for (const userId of online) this.#add(edge, userId);
    if (!last || !follows) return;
    edge.partNext = null;
    for (const [userId, named] of edge.users) if (named !== edge.round) this.#remove(edge, userId);
  }

  #add(edge: Edge, userId: string): void {
    const known = edge.users.has(userId);
    edge.users.set(userId, edge.round);
    if (known) return;
    this.#users.set(userId, (this.#users.get(userId) ?? 0) + 1);
    this.#sightings += 1;
    if (this.#sightings > this.#options.usersMax) this.#dropOldest();
  }

  #remove(edge: Edge, userId: string): void {
    if (!edge.users.delete(userId)) return;
    this.#sightings -= 1;
    const others = (this.#users.get(userId) ?? 0) - 1;
    if (others > 0) this.#users.set(userId, others);
    else this.#users.delete(userId);
  }

  #dropOldest(): void {
    const [userId] = this.#users.keys();
    if (userId === undefined) return;
    this.#dropped += 1;
    for (const edge of this.#edges.values()) {
      this.#remove(edge, userId);
      if (!this.#users.has(userId)) return;
    }
  }
}
