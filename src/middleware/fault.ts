import type { Response } from 'express';

const faults = new WeakMap<Response, unknown>();

/** Remembers why a request failed, so that the one line that is logged for it can say so. */
export function noteFault(res: Response, fault: unknown): void {
  faults.set(res, fault);
}

export function faultOf(res: Response): unknown {
  return faults.get(res);
}
