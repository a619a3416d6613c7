import type { Config } from '../platform/config/config.ts';

/** Ports that were taken, by role; null without that role. */
export interface Ports {
  readonly api: number | null;
  readonly edge: number | null;
}

/** Says on the terminal where the system is and what to try first. */
export function announce(config: Config, ports: Ports): void {
  const host = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host;
  const lines = ['', 'chat-backend is running', ''];
  if (ports.api !== null) lines.push(`  HTTP API   http://${host}:${ports.api}`);
  if (ports.edge !== null) lines.push(`  WebSocket  ws://${host}:${ports.edge}/ws?userId=alice`);
  if (ports.api !== null) {
    const body = `{"userId":"alice","title":"hello","visibility":"open"}`;
    const url = `http://${host}:${ports.api}/api/chat/conversations`;
    lines.push('', 'Try:', `  curl -s -X POST ${url} -H 'content-type: application/json' -d '${body}'`);
  }
  process.stderr.write(`${lines.join('\n')}\n\nCtrl-C stops everything.\n\n`);
}
