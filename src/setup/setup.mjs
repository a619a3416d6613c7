import { compile } from './compile.mjs';
import { installDependencies } from './dependencies.mjs';
import { findNatsServer } from './findNatsServer.mjs';
import { findRedisServer } from './findRedisServer.mjs';
import { linkLauncher } from './launcherLink.mjs';
import { checkNodeVersion } from './nodeVersion.mjs';
import { obtainNatsServer } from './obtainNatsServer.mjs';
import { obtainRedisServer } from './obtainRedisServer.mjs';
import { generatePrismaClient } from './prismaClient.mjs';
import { SetUpError, step } from './step.mjs';

/**
 * Brings a bare machine to the point where the system can run. Every step checks whether it has anything to do, so that
 * a second run takes a fraction of a second. Uses Node's own modules only, since nothing else is there yet.
 *
 * Sets NATS_SERVER_BIN, and REDIS_SERVER_BIN, for what runs next in this process. Prints one line and exits with 1 on a
 * failure.
 *
 * @param {{ quiet?: boolean, natsServer?: boolean, redisServer?: boolean }} [options] quiet: say nothing unless something
 *   fails; natsServer: whether one is needed, by default when NATS_URL is not set; redisServer: as the tests need it
 */
export async function setUp({ quiet = false, natsServer = !process.env.NATS_URL, redisServer = false } = {}) {
  try {
    checkNodeVersion();
    await installDependencies({ quiet });
    if (natsServer)
      process.env.NATS_SERVER_BIN =
        findNatsServer() ?? (await step({ quiet }, 'obtaining a nats-server', obtainNatsServer));
    if (redisServer)
      process.env.REDIS_SERVER_BIN =
        findRedisServer() ?? (await step({ quiet }, 'obtaining a redis-server', obtainRedisServer));
    await generatePrismaClient({ quiet });
    await compile({ quiet });
    linkLauncher();
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
