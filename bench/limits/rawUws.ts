import uWS from 'uWebSockets.js';
import { serveMeasured } from '../support/measured.ts';

/** The bare limit of the edge: uWebSockets.js, one topic, nothing else. Publishes frames of a given size on request. */
const app = uWS.App();
app.ws('/ws', {
  maxBackpressure: 1_024 ** 2,
  idleTimeout: 120,
  sendPingsAutomatically: true,
  open: (ws) => void ws.subscribe('all'),
  message: (ws, message) => void ws.send(message),
});
app.listen('127.0.0.1', 0, (listening) => {
  if (!listening) throw new Error('There is no free port');
  serveMeasured(uWS.us_socket_local_port(listening), (wanted) => {
    const { publish, bytes } = wanted as { publish: number; bytes: number };
    const frame = Buffer.alloc(bytes, 'x');
    for (let n = 0; n < publish; n++) app.publish('all', frame, false);
  });
});
