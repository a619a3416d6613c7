import { Alarm } from './clock.ts';
import type { Settings } from './options.ts';

/** What the watch does. */
export interface LivenessOwner {
  /** Asks the peer for a word. */
  ping(): void;
  /** It gave none in time. */
  onDead(): void;
}

/**
 * Tells a dead socket from a quiet one: after `pingIntervalMs` of silence the peer is asked, and any frame counts as its
 * answer. Without one within `pongTimeoutMs` it is dead. A cable that was pulled is noticed no other way: TCP tries for many
 * minutes, and browsers answer protocol-level pings without telling.
 *
 * Silent → asked → dead, and asked at once by {@link Liveness.probe}; a word from the peer leads back to the start. What a busy connection pays per frame are two
 * assignments: the timer is not moved, but checks when it fires.
 */
export class Liveness {
  readonly #settings: Settings;
  readonly #owner: LivenessOwner;
  readonly #alarm: Alarm;
  #heardAtMs = 0;
  #asked = false;
  /** Whether the peer has said a word since it was asked. */
  #heardSince = false;

  constructor(settings: Settings, owner: LivenessOwner) {
    this.#settings = settings;
    this.#owner = owner;
    this.#alarm = new Alarm(settings.clock);
  }

  start(): void {
    this.heard();
    this.#watch(this.#settings.pingIntervalMs);
  }

  stop(): void {
    this.#asked = false;
    this.#alarm.clear();
  }

  /** Asks now, whatever was heard: the network may be another one. */
  probe(): void {
    if (!this.#asked) this.#ask();
  }

  heard(): void {
    this.#heardAtMs = this.#settings.clock.nowMs();
    this.#heardSince = true;
  }

  #watch(delayMs: number): void {
    this.#alarm.set(delayMs, () => {
      const { clock, pingIntervalMs } = this.#settings;
      const quietMs = clock.nowMs() - this.#heardAtMs;
      if (quietMs < pingIntervalMs) return this.#watch(pingIntervalMs - quietMs);
      this.#ask();
    });
  }

  #ask(): void {
    const { clock, pingIntervalMs, pongTimeoutMs } = this.#settings;
    this.#asked = true;
    this.#alarm.set(pongTimeoutMs, () => {
      this.#asked = false;
      if (!this.#heardSince) this.#owner.onDead();
      else this.#watch(Math.max(0, pingIntervalMs - (clock.nowMs() - this.#heardAtMs)));
    });
    this.#heardSince = false;
    this.#owner.ping();
  }
}
