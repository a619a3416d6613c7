import type { Socket } from 'socket.io';

type EngineConnection = Socket['conn'];

/** CONNECT packets of one connection, at most: stock clients send one, and one for each time that they leave and come back. */
const CONNECTS_MAX = 100;

/** A CONNECT packet to the main namespace: `0`, `0{…}` or `0/,{…}`. Other namespaces do not exist, and Socket.IO says so. */
const CONNECT = /^0(?!\/[^,])/;

/**
 * Keeps a connection to one session at a time. Socket.IO makes one for every CONNECT packet, and a payload of 100 KB holds
 * thousands: each would be a user who is online, and none would be counted as a connection.
 */
export class OneSession {
  readonly #taken = new WeakSet<EngineConnection>();

  /** Closes the connection when it asks for a session beside the one that it has. Called before Socket.IO sees a packet. */
  watch(connection: EngineConnection): void {
    let connects = 0;
    connection.on('packet', (packet: { type: string; data?: unknown }) => {
      if (packet.type !== 'message' || typeof packet.data !== 'string' || packet.data[0] !== '0') return;
      connects += 1;
      const isMain = CONNECT.test(packet.data);
      if (connects <= CONNECTS_MAX && !(isMain && this.#taken.has(connection))) {
        if (isMain) this.#taken.add(connection);
        return;
      }
      // Engine.IO looks at the type next, and passes nothing on.
      packet.type = 'noop';
      connection.close(true);
    });
  }

  /** The session of a connection has ended, or was refused: it may ask for another one. */
  release(connection: EngineConnection): void {
    this.#taken.delete(connection);
  }
}
