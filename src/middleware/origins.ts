/** Whose pages may use this service from a browser: any, or those of a list. */
export type AllowedOrigins = '*' | readonly string[];

/**
 * Whether a request may come from a page of this origin. Who names none is no browser, and could name any: the list keeps
 * the pages of strangers from acting in the name of their visitors, nothing else.
 *
 * @param origin as the header says; empty when there is none
 */
export function allowsOrigin(allowed: AllowedOrigins | undefined, origin: string): boolean {
  if (origin === '' || allowed === undefined || allowed === '*') return true;
  // Browsers send it in lower case.
  return allowed.includes(origin);
}
