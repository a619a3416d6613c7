import { Gauge, type Registry } from 'prom-client';

/** What is told of the live version of a read model when metrics are asked for. */
export interface ProjectionReading {
  readonly projection: string;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly state: string;
  readonly parkedConversations: number;
}

export interface AuditReading {
  readonly unaccounted: number;
  readonly conversations: number;
  readonly lastPassAtMs: number | null;
}

export interface ProjectionSource {
  /** All states that there are, so that each has a series from the start. */
  readonly states: readonly string[];
  /** The live versions; keeps to a deadline of its own. @throws when they cannot be read */
  read(): Promise<{ readonly projections: readonly ProjectionReading[]; readonly audit: AuditReading }>;
}

/**
 * Gauges of the read models, from Postgres. When it does not answer, they keep what they said last and
 * `chat_projection_status_readable` says that they do.
 *
 * @returns what brings them up to date; to be called before they are read
 */
export function projectionGauges(registry: Registry, source: ProjectionSource): () => Promise<void> {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const events = gauge('chat_projection_lag_events', 'Events behind the log.', ['projection']);
  const seconds = gauge('chat_projection_lag_seconds', 'Age of the oldest missing event, at most.', [
    'projection',
  ]);
  const state = gauge('chat_projection_state', '1 for the state that it is in.', ['projection', 'state']);
  const parked = gauge('chat_projection_parked_conversations', 'Conversations that wait aside.', [
    'projection',
  ]);
  const unaccounted = gauge(
    'chat_messages_unaccounted',
    'Messages in the log that the audit missed in the history.',
  );
  const differing = gauge(
    'chat_audit_differing_conversations',
    'Conversations that log and history differ in.',
  );
  const lastPass = gauge(
    'chat_audit_last_pass_timestamp_seconds',
    'When the audit last went through all; 0: never.',
  );
  const show = async () => {
    const { projections, audit } = await source.read();
    for (const each of projections) {
      const labels = { projection: each.projection };
      events.set(labels, each.lagEvents);
      seconds.set(labels, each.lagSeconds);
      parked.set(labels, each.parkedConversations);
      for (const known of source.states) state.set({ ...labels, state: known }, known === each.state ? 1 : 0);
    }
    unaccounted.set(audit.unaccounted);
    differing.set(audit.conversations);
    lastPass.set((audit.lastPassAtMs ?? 0) / 1_000);
  };
  const readable = gauge(
    'chat_projection_status_readable',
    '1 when what is said of the read models is of now, 0 when the database does not answer.',
  );
  return () =>
    show().then(
      () => readable.set(1),
      () => readable.set(0),
    );
}
