import { setTimeout as delay } from 'node:timers/promises';
import type { Drainable } from './transport.ts';

/** Connections closed in one slice, and the pause between slices: 10,000 take a second. */
const SLICE = 200;
const SLICE_PAUSE_MS = 20;
/** Bounds of the time after which a client should come back; the spread grows by a millisecond for every client. */
const RETRY_MS = { least: 250, spread: 2_000 };

/**
 * Sends clients away: each is asked to come back after a time of its own, so that they do not all come at once; requests
 * in flight are answered; then connections are closed slice by slice.
 *
 * @param timeoutMs how long requests may take, and closing
 */
export async function drain(transports: readonly Drainable[], timeoutMs: number): Promise<void> {
  const sum = (count: (transport: Drainable) => number) =>
    transports.reduce((total, transport) => total + count(transport), 0);
  const connections = () => sum((transport) => transport.connections);
  const spread = RETRY_MS.spread + connections();
  const retryAfterMs = () => Math.round(RETRY_MS.least + Math.random() * spread);
  for (const transport of transports) transport.announceDraining(retryAfterMs);
  const deadline = Date.now() + timeoutMs;
  while (sum(({ inFlight }) => inFlight) > 0 && Date.now() < deadline) await delay(10);
  const closedBy = Math.max(deadline, Date.now() + CLOSE_MS_MIN);
  while (connections() > 0 && Date.now() < closedBy) {
    for (const transport of transports) transport.closeSome(SLICE);
    await delay(SLICE_PAUSE_MS);
  }
}

/** Least time for closing, even when requests took all the time there was. */
const CLOSE_MS_MIN = 500;
