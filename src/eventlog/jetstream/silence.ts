/** For how many looks in a row something was owed and nothing came. */
export class Silence {
  /** Set when something comes; taken back by the look. */
  heard = false;
  looks = 0;

  look(owed: boolean): void {
    this.looks = owed && !this.heard ? this.looks + 1 : 0;
    this.heard = false;
  }
}
