import { connectNats } from '../../src/platform/nats/connection.ts';
import { NatsSignals } from '../../src/platform/signals/natsSignals.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { waitFor } from '../support/time/waitFor.ts';
import { signalsContract } from './signalsContract.ts';

signalsContract('signals on NATS', async () => {
  const server = await startTestNats();
  const events: string[] = [];
  const connect = async () => {
    const connection = await connectNats({
      url: server.url,
      name: 'test',
      onEvent: ({ type }) => events.push(type),
    });
    connections.push(connection);
    return connection;
  };
  const connections: Awaited<ReturnType<typeof connectNats>>[] = [];
  const others = await connect();
  /** Every connection tells of it; all have when as many as there are have. */
  const everybody = (type: string) =>
    waitFor(type, () => events.filter((event) => event === type).length >= connections.length);
  return {
    connect: async (onFault) => {
      const connection = await connect();
      const signals = new NatsSignals(connection, { onFault });
      await connection.flush();
      return signals;
    },
    inject: (subject, bytes) => others.publish(subject, bytes),
    interrupt: async () => {
      await server.kill9();
      await everybody('natsDisconnected');
    },
    restore: async () => {
      await server.restart();
      await everybody('natsReconnected');
    },
    close: async () => {
      for (const connection of connections) await connection.close();
      await server.stop();
    },
  };
});
