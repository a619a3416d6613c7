export interface AdmissionOptions {
  /** Connections that may be opened per second in the long run, and at once after a pause. */
  readonly perSecondMax: number;
  readonly connectionsMax: number;
  readonly nowMs: () => number;
}

export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly retryAfterMs: number };

/** Clients that are turned away come back within this time. */
const RETRY_SPREAD_MS = 5_000;

/**
 * Decides whether one more connection may be opened. A token bucket bounds connections opened per second, so that a storm
 * of reconnecting clients leaves time for those that are connected; a ceiling bounds open connections. Each client that
 * is turned away gets a time of its own to come back, so that they do not all come together again.
 */
export class AdmissionControl {
  readonly #options: AdmissionOptions;
  #tokens: number;
  #refilledAtMs: number;
  draining = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#tokens = options.perSecondMax;
    this.#refilledAtMs = options.nowMs();
  }

  /** @param connections open connections now */
  admit(connections: number): Admission {
    this.#refill();
    if (this.draining || connections >= this.#options.connectionsMax || this.#tokens < 1) {
      return { admitted: false, retryAfterMs: Math.round(500 + Math.random() * RETRY_SPREAD_MS) };
    }
    this.#tokens -= 1;
    return { admitted: true };
  }

  #refill(): void {
    const now = this.#options.nowMs();
    const { perSecondMax } = this.#options;
    const earned = (Math.max(0, now - this.#refilledAtMs) * perSecondMax) / 1_000;
    this.#tokens = Math.min(perSecondMax, this.#tokens + earned);
    this.#refilledAtMs = now;
  }
}
