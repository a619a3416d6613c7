import { ANNOUNCED_USERS_MAX, type Signal } from '../../contracts/signals.ts';

/**
 * Who is online on this edge, and the announcements of it. It knows no time: {@link Presence} says when.
 *
 * Invariants: a user is here while at least one socket is; `#changes` holds exactly the users whose being here differs
 * from what was announced last, and who comes and goes (or goes and comes) in between is not in it. Changes are always
 * announced before a part of a round, so that no part contradicts a change that is not sent yet. A round
 * walks over the users while they change: who came meanwhile is at its end, who left is passed over.
 */
export class PresenceAnnouncer {
  readonly #edgeId: string;
  readonly #publish: (signal: Signal) => void;
  /** Open sockets by user; there is one for each entry, so the edge's bound on sockets bounds this. */
  readonly #sockets = new Map<string, number>();
  /** True: came; false: left. */
  #changes = new Map<string, boolean>();
  #round = 0;
  #part = 0;
  /** Whom the round under way has not named yet; null between rounds. */
  #unnamed: IterableIterator<string> | null = null;

  constructor(edgeId: string, publish: (signal: Signal) => void) {
    this.#edgeId = edgeId;
    this.#publish = publish;
  }

  get hasChanges(): boolean {
    return this.#changes.size > 0;
  }

  get isMidRound(): boolean {
    return this.#unnamed !== null;
  }

  get users(): number {
    return this.#sockets.size;
  }

  has(userId: string): boolean {
    return this.#sockets.has(userId);
  }

  socketsOf(userId: string): number {
    return this.#sockets.get(userId) ?? 0;
  }

  connected(userId: string): void {
    const sockets = this.#sockets.get(userId) ?? 0;
    this.#sockets.set(userId, sockets + 1);
    if (sockets === 0) this.#changed(userId, true);
  }

  /** Nothing happens to a user that has no socket. */
  disconnected(userId: string): void {
    const sockets = this.#sockets.get(userId);
    if (sockets === undefined) return;
    if (sockets > 1) {
      this.#sockets.set(userId, sockets - 1);
      return;
    }
    this.#sockets.delete(userId);
    this.#changed(userId, false);
  }

  /** Announces who came and left since the last time. */
  announceChanges(): void {
    if (this.#changes.size === 0) return;
    let online: string[] = [];
    let offline: string[] = [];
    const send = () => {
      this.#publish({ type: 'presence', full: false, edgeId: this.#edgeId, online, offline });
      online = [];
      offline = [];
    };
    for (const [userId, here] of this.#changes) {
      (here ? online : offline).push(userId);
      if (online.length + offline.length === ANNOUNCED_USERS_MAX) send();
    }
    if (online.length + offline.length > 0) send();
    this.#changes = new Map();
  }

  /**
   * Announces the next part of who is here; of a new round, unless one is under way.
   *
   * @returns whether that was the last part
   */
  announcePart(): boolean {
    this.announceChanges();
    const unnamed = this.#unnamed ?? this.#beginRound();
    const online: string[] = [];
    while (online.length < ANNOUNCED_USERS_MAX) {
      const next = unnamed.next();
      if (next.done === true) break;
      online.push(next.value);
    }
    const last = online.length < ANNOUNCED_USERS_MAX;
    this.#announce(online, last);
    if (last) this.#unnamed = null;
    return last;
  }

  /** Announces that nobody is here any more: a round of one part that names nobody. */
  announceEnd(): void {
    this.#sockets.clear();
    this.#changes.clear();
    this.#beginRound();
    this.#announce([], true);
    this.#unnamed = null;
  }

  #beginRound(): IterableIterator<string> {
    this.#round += 1;
    this.#part = 0;
    this.#unnamed = this.#sockets.keys();
    return this.#unnamed;
  }

  #announce(online: string[], last: boolean): void {
    const place = { edgeId: this.#edgeId, round: this.#round, part: this.#part, last };
    this.#publish({ type: 'presence', full: true, ...place, online });
    this.#part += 1;
  }

  #changed(userId: string, here: boolean): void {
    // There and back again is nothing that others would have to know.
    if (!this.#changes.delete(userId)) this.#changes.set(userId, here);
  }
}
