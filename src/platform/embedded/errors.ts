/** Every way in which the embedded servers fail: what happened, to what, and how to fix it. */

/** The data folder belongs to a process that is still running. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';

  constructor(dataDir: string, pid: number) {
    super(
      `chat-backend is already running on ${dataDir} (pid ${pid}). Stop it with "kill ${pid}", ` +
        'or set CHAT_DATA_DIR to another folder to run a second system.',
    );
  }
}

export class NatsServerMissingError extends Error {
  override readonly name = 'NatsServerMissingError';

  constructor(binary: string, cause?: unknown) {
    super(
      `Cannot run the nats-server "${binary}". Set NATS_SERVER_BIN to a nats-server binary, ` +
        'run "npm run build" to obtain one, or set NATS_URL to a server that is running.',
      { cause },
    );
  }
}

export class NatsServerTooOldError extends Error {
  override readonly name = 'NatsServerTooOldError';

  constructor(binary: string, version: string, minimum: string) {
    super(
      `The nats-server "${binary}" has version ${version}; at least ${minimum} is needed. ` +
        'Upgrade it, or set NATS_SERVER_BIN to a newer one.',
    );
  }
}

export class NoFreePortError extends Error {
  override readonly name = 'NoFreePortError';

  constructor(attempts: number) {
    super(`No free loopback port was found in ${attempts} attempts. Close some of this machine's servers.`);
  }
}

/** The port is fixed, because clients know it already, and somebody else took it. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';

  constructor(server: string, port: number) {
    super(
      `Port ${port} of the embedded ${server} is taken by another program. Stop that program, or restart chat-backend.`,
    );
  }
}

export class ServerExitedEarlyError extends Error {
  override readonly name = 'ServerExitedEarlyError';

  constructor(server: string, reason: string, logFile: string, logTail: string) {
    super(`The embedded ${server} ended while starting (${reason}). The end of ${logFile}:\n${logTail}`);
  }
}

export class ServerStartTimeoutError extends Error {
  override readonly name = 'ServerStartTimeoutError';

  constructor(server: string, timeoutMs: number, logFile: string, logTail: string) {
    super(`The embedded ${server} did not answer within ${timeoutMs} ms. The end of ${logFile}:\n${logTail}`);
  }
}

export class ServerStartAbortedError extends Error {
  override readonly name = 'ServerStartAbortedError';

  constructor(server: string) {
    super(`The start of the embedded ${server} was given up, because the process was asked to stop.`);
  }
}

/** A server of an earlier, killed run holds the data and does not end. */
export class OrphanStillRunningError extends Error {
  override readonly name = 'OrphanStillRunningError';

  constructor(server: string, pid: number) {
    super(
      `The ${server} of an earlier run (pid ${pid}) does not stop. End it with "kill -9 ${pid}" and start again.`,
    );
  }
}

export class SupervisorStopTimeoutError extends Error {
  override readonly name = 'SupervisorStopTimeoutError';

  constructor(timeoutMs: number) {
    super(
      `An embedded server did not end within ${timeoutMs} ms. Its pid is in run.json of the data folder: end it with kill -9.`,
    );
  }
}
