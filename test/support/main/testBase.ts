import { Writable } from 'node:stream';
import pino from 'pino';
import type { EdgeEvent } from '../../../src/edge/edgeEvents.ts';
import type { UploadEvent } from '../../../src/http/uploads/uploadEvents.ts';
import { type Base, openBase } from '../../../src/main/base.ts';
import { type Config, loadConfig } from '../../../src/platform/config/config.ts';

/** A base as the process has it, on loopback and free ports, that remembers what its parts reported. */
export interface TestBase extends Base {
  readonly edgeEvents: EdgeEvent[];
  readonly uploads: UploadEvent[];
  readonly faults: unknown[];
  /** What was logged, one object per line. */
  readonly logged: Record<string, unknown>[];
}

/** @param config settings that differ from their defaults */
export function testBase(config: Partial<Config> = {}): TestBase {
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, linesInto(logged));
  const settings = { ...loadConfig({}), host: '127.0.0.1', port: 0, edgePort: 0, shutdownTimeoutMs: 2_000 };
  const base = openBase({ ...settings, ...config }, logger, new AbortController().signal);
  const edgeEvents: EdgeEvent[] = [];
  const uploads: UploadEvent[] = [];
  const faults: unknown[] = [];
  const lifecycle = {
    ...base.lifecycle,
    edge: (event: EdgeEvent) => {
      edgeEvents.push(event);
      base.lifecycle.edge(event);
    },
    upload: (event: UploadEvent) => {
      uploads.push(event);
      base.lifecycle.upload(event);
    },
    fault: (component: string) => (error: unknown) => {
      faults.push(error);
      base.lifecycle.fault(component)(error);
    },
  };
  return { ...base, lifecycle, edgeEvents, uploads, faults, logged };
}

function linesInto(lines: Record<string, unknown>[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
}
