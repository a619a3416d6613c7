import { TEST_STREAM_BYTES_MAX } from '../eventlog/jetStreamLog.ts';
import { waitFor } from '../time/waitFor.ts';
import { launch } from './runningSystem.ts';

/** A real process that was launched. */
export type RoleProcess = ReturnType<typeof launch>;

/**
 * The real process in one role, on the servers of a test whose log is open already.
 *
 * @param settings at least where the servers are, and the folder for data
 */
export function launchRole(role: string, settings: Record<string, string>): RoleProcess {
  return launch({
    ...process.env,
    ROLES: role,
    LOG_LEVEL: 'warn',
    // As the test made the stream.
    STREAM_MAX_BYTES: String(TEST_STREAM_BYTES_MAX),
    UPLOADS_MAX_BYTES: '64MB',
    ...settings,
  });
}

/** Until it says that it runs. @throws Error with its output when it ends instead */
export function untilRunning({ child, output }: RoleProcess): Promise<boolean> {
  const running = () => {
    if (child.exitCode !== null) throw new Error(output());
    return output().includes('chat-backend is running');
  };
  return waitFor('the process to run', running, { timeoutMs: 300_000 });
}
