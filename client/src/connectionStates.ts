/**
 * - `idle`: nothing was asked for yet
 * - `connecting`: a socket is being opened
 * - `open`: requests go out
 * - `draining`: the server goes away; events still come, requests are kept for the next socket
 * - `waiting`: no socket; one is opened when the delay is over
 * - `closed`: for good, by the app or because the server refused this client
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'draining' | 'closed';

/**
 * - `start`: somebody wants a connection, now
 * - `opened`: the socket is open
 * - `lost`: the socket closed, could not be opened, or is dead
 * - `drain`: the server said that it goes away
 * - `retry`: the delay is over
 * - `refused`: the server closed with a code that no reconnect changes
 * - `stop`: the app closes the client
 */
export type ConnectionEvent = 'start' | 'opened' | 'lost' | 'drain' | 'retry' | 'refused' | 'stop';

const toClosed = { refused: 'closed', stop: 'closed' } as const;

/** Complete by type. An event that means nothing in a state leaves it as it is. */
const TABLE: Record<ConnectionState, Record<ConnectionEvent, ConnectionState>> = {
  idle: { start: 'connecting', opened: 'idle', lost: 'idle', drain: 'idle', retry: 'idle', ...toClosed },
  connecting: {
    start: 'connecting',
    opened: 'open',
    lost: 'waiting',
    drain: 'connecting',
    retry: 'connecting',
    ...toClosed,
  },
  open: { start: 'open', opened: 'open', lost: 'waiting', drain: 'draining', retry: 'open', ...toClosed },
  waiting: {
    start: 'connecting',
    opened: 'waiting',
    lost: 'waiting',
    drain: 'waiting',
    retry: 'connecting',
    ...toClosed,
  },
  draining: {
    start: 'draining',
    opened: 'draining',
    lost: 'waiting',
    drain: 'draining',
    retry: 'connecting',
    ...toClosed,
  },
  closed: {
    start: 'closed',
    opened: 'closed',
    lost: 'closed',
    drain: 'closed',
    retry: 'closed',
    refused: 'closed',
    stop: 'closed',
  },
};

/** The state after an event. */
export function nextConnectionState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return TABLE[state][event];
}
