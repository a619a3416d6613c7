import { request } from 'node:http';
import { startApiServer } from '../support/apiServer.ts';
import { appendConversations } from '../support/chatHistory.ts';
import { openBenchLog } from '../support/log.ts';
import type { MeasuredServer } from '../support/measured.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * Twenty uploads of 10 MB at a time to one API process: how many MB a second, what a MB costs, and how far the memory of the
 * process rises at its highest above what it was at its highest before. Then the same while nats-server is frozen: nothing
 * can be stored, and nothing may pile up. Wanted: far less memory than the 200 MB that are sent, also then.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const PARALLEL = 20;
const FILE_BYTES = 10_000_000;
const BOUNDARY = 'bench-boundary';

const servers = await startBenchServers({ postgres: true });
try {
  const { log, connection } = await openBenchLog(servers.natsUrl);
  const [conversationId = ''] = await appendConversations(log, 1);
  await log.close(1_000);
  await connection.close();
  const form = formOf(conversationId);
  const api = await startApiServer(servers);
  try {
    await measure('', api, form, 201);
    process.kill(servers.natsPid, 'SIGSTOP');
    await measure(' to a frozen store', api, form, 503);
  } finally {
    process.kill(servers.natsPid, 'SIGCONT');
    await api.stop();
  }
} finally {
  await servers.stop();
}

async function measure(what: string, api: MeasuredServer, form: Buffer, status: number): Promise<void> {
  const idle = await api.rssPeakBytes();
  const cpuBefore = await api.cpuSeconds();
  const startedAt = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const statuses = await Promise.all(Array.from({ length: PARALLEL }, () => upload(api.port, form)));
    const other = statuses.find((each) => each !== status);
    if (other !== undefined) throw new Error(`An upload was answered ${other} instead of ${status}`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const mb = (ROUNDS * PARALLEL * form.length) / 1e6;
  const cpuMs = ((await api.cpuSeconds()) - cpuBefore) * 1_000;
  const risen = ((await api.rssPeakBytes()) - idle) / 1e6;
  console.log(
    `uploads${what}: ${PARALLEL} of ${FILE_BYTES / 1e6} MB at a time, ${ROUNDS} times: ${Math.round(mb / seconds)} MB/s, ` +
      `${(cpuMs / mb).toFixed(1)} ms of API CPU per MB, memory ${Math.round(risen)} MB above ${Math.round(idle / 1e6)} MB`,
  );
}

function formOf(conversationId: string): Buffer {
  const file = Buffer.alloc(FILE_BYTES, 'a line of a document\n');
  file.write('%PDF-1.7\n');
  const part = (disposition: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`;
  return Buffer.concat([
    Buffer.from(`${part('name="conversationId"')}${conversationId}\r\n${part('name="userId"')}bench\r\n`),
    Buffer.from(part('name="file"; filename="bench.pdf"')),
    file,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}

/** @returns the status of the answer */
function upload(port: number, form: Buffer): Promise<number> {
  const headers = {
    'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
    'Content-Length': form.length,
  };
  return new Promise((resolve, reject) => {
    const sending = request(
      { host: '127.0.0.1', port, path: '/api/chat/uploads', method: 'POST', headers, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
        // Refused half-way: what is left is not wanted.
        if (!sending.writableFinished) sending.destroy();
      },
    );
    sending.on('error', reject);
    sending.end(form);
  });
}
