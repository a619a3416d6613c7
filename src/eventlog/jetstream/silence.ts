/** Counts consecutive checks at which something was owed and nothing had come since the check before. */
export class Silence {
  /** Set when something comes; reset by each check. */
  heard = false;
  silentChecks = 0;

  check(owed: boolean): void {
    this.silentChecks = owed && !this.heard ? this.silentChecks + 1 : 0;
    this.heard = false;
  }
}
