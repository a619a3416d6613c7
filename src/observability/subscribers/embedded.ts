import type { Logger } from 'pino';
import type { EmbeddedServerEvent } from '../../platform/embedded/embeddedServers.ts';

/** Log lines of the servers that this process runs. */
export function embeddedSubscriber(logger: Logger): (event: EmbeddedServerEvent) => void {
  return (event) => {
    const level = event.type === 'serverDied' || event.type === 'serverRestarting' ? 'warn' : 'info';
    logger[level]({ component: 'embedded', ...describe(event) }, event.type);
  };
}

/** `pid` on a log line is this process, so the server's gets another name; the URL of Postgres holds a password. */
function describe(event: EmbeddedServerEvent): object {
  const described: Record<string, unknown> = { ...event };
  delete described.pid;
  if ('pid' in event) described.serverPid = event.pid;
  if ('url' in event) described.url = event.url.replace(/:\/\/[^@/]*@/, '://');
  return described;
}
