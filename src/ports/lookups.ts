/** How often something that may know was asked, by what came of it. Only grows. */
export interface Lookups {
  hit: number;
  miss: number;
  /** It did not answer, or not in time, or with something that is no answer. */
  error: number;
}
