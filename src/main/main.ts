import { createLogger } from '../observability/logs/logger.ts';
import { loadConfig } from '../platform/config/config.ts';
import { startSystem } from './system.ts';

/**
 * The process: settings, start, stop. SIGINT, SIGTERM and SIGHUP stop everything in reverse order. Ctrl-C can arrive
 * twice (from the terminal and from npm), so further signals change nothing; a stop that takes longer than it may ends
 * the process.
 */
async function main(): Promise<void> {
  process.title = 'chat-backend';
  const config = loadConfig(process.env);
  const logger = createLogger(config.logLevel);
  const aborter = new AbortController();
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    // A closed terminal (SIGHUP) must not leave the embedded servers behind: they run in sessions of their own.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (aborter.signal.aborted) return;
        aborter.abort();
        resolve(signal);
      });
    }
  });
  const system = await startSystem(config, logger, aborter.signal);
  const signal = await asked;
  logger.info({ signal }, 'stopping');
  // Three parts may each use the time-out to the full, and the embedded servers need some to flush.
  const watchdog = setTimeout(() => process.exit(1), 3 * config.shutdownTimeoutMs + 60_000);
  await system.stop();
  clearTimeout(watchdog);
  logger.info('stopped');
}

try {
  await main();
  process.exit(0);
} catch (error) {
  // What goes wrong at start is nearly always a setting or a server: one line that says which and what to do.
  process.stderr.write(`chat-backend: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
