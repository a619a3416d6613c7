const WIDTH = 28;
const REDRAW_MS = 100;

/** A line on a terminal's standard error that shows how far something is; nothing where there is no terminal. */
export class ProgressBar {
  readonly #label: string;
  readonly #unit: string;
  readonly #startedAtMs = Date.now();
  #drawnAtMs = 0;

  /** @param unit what is counted, as in `messages` */
  constructor(label: string, unit: string) {
    this.#label = label;
    this.#unit = unit;
  }

  /**
   * @param fraction of the whole, 0 to 1
   * @param count how many units are done
   */
  update(fraction: number, count: number): void {
    const now = Date.now();
    if (!process.stderr.isTTY || now - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = now;
    process.stderr.write(`\r${this.render(fraction, count, now)}\x1b[K`);
  }

  /** Clears the line, so that what is printed next stands alone. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }

  /** The line as text: bar, share, count, rate and time left. */
  render(fraction: number, count: number, nowMs: number): string {
    const share = Math.min(1, Math.max(0, fraction));
    const filled = Math.round(share * WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    const seconds = Math.max(0.001, (nowMs - this.#startedAtMs) / 1_000);
    const rate = Math.round(count / seconds).toLocaleString('en');
    const left = share > 0 ? formatSeconds((seconds / share) * (1 - share)) : '?';
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const done = count.toLocaleString('en');
    return `${this.#label} ${bar} ${percent}  ${done} ${this.#unit}  ${rate}/s  ${left} left`;
  }
}

export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
