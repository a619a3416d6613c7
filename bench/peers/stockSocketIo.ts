import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { serveMeasured } from '../support/measured.ts';

/** What many would start with: Socket.IO on Node's own http server, a room for each conversation. */
const http = createServer();
const io = new Server(http, { serveClient: false });
io.on('connection', (socket) => {
  socket.on('join', (room, acknowledge) => {
    void socket.join(room.conversationId);
    acknowledge?.({});
  });
});
http.listen(0, '127.0.0.1', () => {
  serveMeasured((http.address() as AddressInfo).port, (wanted) => {
    const { publish, room, event } = wanted as { publish: number; room: string; event: object };
    for (let n = 0; n < publish; n++) io.to(room).emit('event', { seq: n, prev: n - 1, event });
  });
});
