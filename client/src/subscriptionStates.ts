/**
 * - `offline`: there is no connection; joins when there is one
 * - `joining`: asked to join, no answer yet
 * - `live`: joined; events come
 * - `waiting`: joins again when a delay is over, because of a gap or because the server could not just now
 * - `paused`: events were lost for good; the app must say from where to go on
 * - `ended`: left, refused, or closed with the client
 */
export type SubscriptionState = 'offline' | 'joining' | 'live' | 'waiting' | 'paused' | 'ended';

/**
 * - `connected`, `lost`: of the connection
 * - `joined`: the server's answer
 * - `postpone`: not now, or a gap
 * - `retry`: the delay is over
 * - `resync`: what was asked for is not to be had
 * - `resume`: the app says from where
 * - `end`
 */
export type SubscriptionEvent =
  | 'connected'
  | 'lost'
  | 'joined'
  | 'postpone'
  | 'retry'
  | 'resync'
  | 'resume'
  | 'end';

/** Complete by type. An event that means nothing in a state leaves it as it is. */
const TABLE: Record<SubscriptionState, Record<SubscriptionEvent, SubscriptionState>> = {
  offline: {
    connected: 'joining',
    lost: 'offline',
    joined: 'offline',
    postpone: 'offline',
    retry: 'offline',
    resync: 'offline',
    resume: 'offline',
    end: 'ended',
  },
  joining: {
    connected: 'joining',
    lost: 'offline',
    joined: 'live',
    postpone: 'waiting',
    retry: 'joining',
    resync: 'paused',
    resume: 'offline',
    end: 'ended',
  },
  live: {
    connected: 'live',
    lost: 'offline',
    joined: 'live',
    postpone: 'waiting',
    retry: 'live',
    resync: 'paused',
    resume: 'offline',
    end: 'ended',
  },
  waiting: {
    connected: 'waiting',
    lost: 'offline',
    joined: 'waiting',
    postpone: 'waiting',
    retry: 'joining',
    resync: 'paused',
    resume: 'offline',
    end: 'ended',
  },
  paused: {
    connected: 'paused',
    lost: 'paused',
    joined: 'paused',
    postpone: 'paused',
    retry: 'paused',
    resync: 'paused',
    resume: 'offline',
    end: 'ended',
  },
  ended: {
    connected: 'ended',
    lost: 'ended',
    joined: 'ended',
    postpone: 'ended',
    retry: 'ended',
    resync: 'ended',
    resume: 'ended',
    end: 'ended',
  },
};

/** The state after an event. */
export function nextSubscriptionState(state: SubscriptionState, event: SubscriptionEvent): SubscriptionState {
  return TABLE[state][event];
}
