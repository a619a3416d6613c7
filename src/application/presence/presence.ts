import type { Clock } from '../../ports/clock.ts';
import type { SharedPresence } from '../../ports/sharedPresence.ts';
import type { Signal, Signals } from '../../ports/signals.ts';
import type { Timers } from '../../ports/timers.ts';
import { Departures } from './departures.ts';
import { PresenceAnnouncer } from './presenceAnnouncer.ts';
import { PresenceRoster } from './presenceRoster.ts';

/** How long changes are collected before they are announced, in milliseconds. */
const CHANGES_MS = 250;
/** From the end of a round to the next one, in milliseconds, give or take a fifth. */
const ROUND_MS = 20_000;
const ROUND_JITTER = 0.2;
/** A request is answered within this time, in milliseconds; not at once, as all others answer too. */
const ANSWER_MS_MAX = 500;
/** From the beginning of a round to the beginning of another, at least, however many ask, in milliseconds. */
const ROUND_GAP_MS = 1_000;
/** Parts of a round sent at a time, that is 8,000 users; the rest follows every {@link CHANGES_MS}. */
const PARTS_AT_A_TIME = 16;
/** An edge that was silent for 12 to 13 of these intervals is gone: 60 to 65 s, three rounds, in milliseconds. */
const SWEEP_MS = 5_000;
const SILENT_SWEEPS_MAX = 13;

export interface PresenceOptions {
  readonly signals: Signals;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Names this process among others: 1–64 characters of A–Z, a–z, 0–9, _ and -. Another one after every start. */
  readonly edgeId: string;
  /**
   * Users of other edges that are remembered, at most, each counted once for every edge. Own users are not in it: each
   * has an open socket, and those have their bound. Default 200,000.
   */
  readonly usersMax?: number;
  /** Other edges that are remembered, at most. Default 1,024. */
  readonly edgesMax?: number;
  /** How long a user without a socket still counts as online here, in milliseconds, up to 500 more. Default 0. */
  readonly graceMs?: number;
  /** Where processes also leave who is online, for those that did not hear it. Default: nowhere. */
  readonly shared?: SharedPresence | undefined;
  /** Chance, from 0 (inclusive) to 1; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Who is online anywhere. Every process has one: it announces the users with sockets here to all others, and remembers
 * what they announce. Announcements may get lost, so they are repeated; nobody is asked whether a user is online.
 *
 * States, of the announcing side:
 * - `quiet`: no user was ever here. Nothing is announced: a process without sockets only listens.
 * - `resting`: between rounds; changes go out every 250 ms, if there are any. A timer for the next round is set.
 * - `midRound`: a round (everybody who is here, in parts) is under way and goes on after 250 ms.
 * - `stopped`: final. Nothing is announced or heard any more.
 *
 * The code's `announcing` is resting or midRound, which the announcer tells apart.
 *
 * | event \ state | quiet | resting | midRound | stopped |
 * | --- | --- | --- | --- | --- |
 * | first user here | → resting, round after 20 s | – | – | – |
 * | round timer | – | → midRound, or resting if it fits at once | the same | – |
 * | presenceRequest | – | the round comes within 500 ms, at least 1 s after the last | one more round after this | – |
 * | stop | → stopped | → stopped, announces that nobody is here | the same | – |
 *
 * Invariants: at most one timer each for changes, rounds, sweeps and {@link Departures}, and none once stopped. Once everybody has heard a
 * whole round of everybody else, and nobody came or went since, all agree on who is online. What is remembered is
 * bounded; see {@link PresenceRoster} for how losses are made good and {@link PresenceAnnouncer} for what is sent.
 *
 * While NATS is away for more than a minute, everybody elsewhere counts as offline, unless a {@link SharedPresence} knows
 * better. Own users are written to it, and {@link Presence.online} asks it about users that are not known here.
 */
export class Presence {
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #shared: SharedPresence | undefined;
  readonly #edgeId: string;
  readonly #announcer: PresenceAnnouncer;
  readonly #roster: PresenceRoster;
  readonly #departures: Departures;
  readonly #unsubscribe: () => void;
  #state: 'quiet' | 'announcing' | 'stopped' = 'quiet';
  #cancelChanges: (() => void) | null = null;
  #cancelSweep: () => void;
  #round: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #roundBeganAtMs = Number.NEGATIVE_INFINITY;
  /** Somebody asked during a round, whose beginning they may have missed. */
  #askedMidRound = false;

  /** Listens from now on and asks all others who is there. */
  constructor(options: PresenceOptions) {
    const { signals, edgeId, usersMax = 200_000, edgesMax = 1_024 } = options;
    this.#signals = signals;
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#random = options.random ?? Math.random;
    this.#shared = options.shared;
    this.#edgeId = edgeId;
    this.#announcer = new PresenceAnnouncer(edgeId, (signal) => signals.publish(signal));
    this.#roster = new PresenceRoster({ usersMax, edgesMax, silentSweepsMax: SILENT_SWEEPS_MAX });
    this.#departures = new Departures({
      timers: options.timers,
      graceMs: options.graceMs ?? 0,
      onGone: (userId) => this.#gone(userId),
    });
    this.#unsubscribe = signals.subscribe((signal) => this.#onSignal(signal));
    this.#cancelSweep = this.#sweepLater();
    signals.publish({ type: 'presenceRequest' });
  }

  /** A socket of this user was opened here. O(1). */
  connected(userId: string): void {
    if (this.#state === 'stopped') return;
    // The socket takes the place of the one that the user was still counted for.
    if (this.#departures.comeBack(userId)) return;
    if (!this.#announcer.has(userId)) this.#shared?.came(userId);
    this.#announcer.connected(userId);
    this.#announceChangesSoon();
    if (this.#state !== 'quiet') return;
    this.#state = 'announcing';
    this.#roundWithin(this.#untilNextRoundMs());
  }

  /** A socket of this user was closed here; one that was never opened changes nothing. O(1). */
  disconnected(userId: string): void {
    if (this.#state === 'stopped' || this.#departures.has(userId)) return;
    const sockets = this.#announcer.socketsOf(userId);
    if (sockets === 1) this.#departures.leave(userId);
    else if (sockets > 1) this.#announcer.disconnected(userId);
  }

  /** Whether the user has a socket, on any edge that is known of, or had one here a moment ago. */
  isOnline(userId: string): boolean {
    return this.#announcer.has(userId) || this.#roster.has(userId);
  }

  /** Those of the users who have a socket, as {@link isOnline} knows or the shared memory does. It never fails. */
  async online(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const online = new Set(userIds.filter((userId) => this.isOnline(userId)));
    const others = userIds.filter((userId) => !online.has(userId));
    if (this.#shared === undefined || others.length === 0) return online;
    for (const userId of await this.#shared.online(others)) online.add(userId);
    return online;
  }

  /** Users of other edges that were dropped, or not taken, for lack of room, since the start; each time counts. */
  get usersDropped(): number {
    return this.#roster.dropped;
  }

  /** Users of other edges that are remembered, each counted once for every edge. */
  get usersRemembered(): number {
    return this.#roster.size;
  }

  /** Asks all others who is there, and announces who is here: for when signals were certainly lost, such as after a reconnect. */
  refresh(): void {
    if (this.#state === 'stopped') return;
    this.#signals.publish({ type: 'presenceRequest' });
    this.#onRequest();
  }

  /** Announces that nobody is here any more, and ends. */
  stop(): void {
    if (this.#state === 'stopped') return;
    const wasAnnouncing = this.#state === 'announcing';
    this.#state = 'stopped';
    this.#unsubscribe();
    this.#cancelSweep();
    this.#cancelChanges?.();
    this.#departures.stop();
    this.#round?.cancel();
    if (wasAnnouncing) this.#announcer.announceEnd();
  }

  #gone(userId: string): void {
    this.#announcer.disconnected(userId);
    this.#shared?.left(userId);
    this.#announceChangesSoon();
  }

  #onSignal(signal: Signal): void {
    if (signal.type === 'presenceRequest') this.#onRequest();
    else if (signal.type === 'presence' && signal.edgeId !== this.#edgeId) this.#roster.hear(signal);
  }

  #onRequest(): void {
    if (this.#state === 'quiet') return;
    if (this.#announcer.isMidRound) this.#askedMidRound = true;
    else this.#roundWithin(this.#answerMs());
  }

  #announceChangesSoon(): void {
    if (this.#cancelChanges !== null || !this.#announcer.hasChanges) return;
    this.#cancelChanges = this.#timers.after(CHANGES_MS, () => {
      this.#cancelChanges = null;
      this.#announcer.announceChanges();
    });
  }

  /** Sets the timer for rounds, unless it goes off earlier anyway. */
  #roundWithin(delayMs: number): void {
    const atMs = this.#clock.nowMs() + delayMs;
    if (this.#round !== null && this.#round.atMs <= atMs) return;
    this.#round?.cancel();
    this.#round = { atMs, cancel: this.#timers.after(delayMs, () => this.#announceParts()) };
  }

  #announceParts(): void {
    this.#round = null;
    if (!this.#announcer.isMidRound) this.#roundBeganAtMs = this.#clock.nowMs();
    let ended = false;
    for (let sent = 0; sent < PARTS_AT_A_TIME && !ended; sent++) ended = this.#announcer.announcePart();
    if (!ended) return this.#roundWithin(CHANGES_MS);
    this.#roundWithin(this.#askedMidRound ? this.#answerMs() : this.#untilNextRoundMs());
    this.#askedMidRound = false;
  }

  #untilNextRoundMs(): number {
    return ROUND_MS * (1 + ROUND_JITTER * (2 * this.#random() - 1));
  }

  #answerMs(): number {
    const sinceMs = Math.max(0, this.#clock.nowMs() - this.#roundBeganAtMs);
    return Math.max(this.#random() * ANSWER_MS_MAX, ROUND_GAP_MS - sinceMs);
  }

  #sweepLater(): () => void {
    return this.#timers.after(SWEEP_MS, () => {
      this.#roster.sweep();
      this.#cancelSweep = this.#sweepLater();
    });
  }
}
