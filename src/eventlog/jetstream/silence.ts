/** For how many checks in a row something was owed and nothing came. */
export class Silence {
  /** Set when something comes; taken back by the check. */
  heard = false;
  checks = 0;

  check(owed: boolean): void {
    this.checks = owed && !this.heard ? this.checks + 1 : 0;
    this.heard = false;
  }
}
