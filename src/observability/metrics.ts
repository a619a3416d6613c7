import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricDefinition, MetricKind } from './catalogue.ts';

/**
 * The metrics of one process. They are made from their entries in the catalogue by the subscribers of the parts; the parts
 * emit typed events and know nothing of it.
 */
export class Metrics {
  readonly #registry = new Registry();
  /** What brings gauges up to date before they are read. */
  readonly #refreshers: (() => Promise<void>)[] = [];

  /** Adds what Node and the operating system know of the process. Once a process: it observes all garbage collections. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in the text format of Prometheus. */
  async text(): Promise<string> {
    await Promise.all(this.#refreshers.map((refresh) => refresh()));
    return this.#registry.metrics();
  }

  /** @param collect sets it whenever metrics are read */
  counter<L extends string>(
    definition: MetricDefinition<'counter', L>,
    collect?: (counter: Counter<L>) => void,
  ): Counter<L> {
    return new Counter<L>({ ...this.#configure(definition), ...(collect && collecting(collect)) });
  }

  /** @param collect sets it whenever metrics are read */
  gauge<L extends string>(
    definition: MetricDefinition<'gauge', L>,
    collect?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    return new Gauge<L>({ ...this.#configure(definition), ...(collect && collecting(collect)) });
  }

  histogram<L extends string>(definition: MetricDefinition<'histogram', L>): Histogram<L> {
    const { buckets } = definition;
    return new Histogram<L>({
      ...this.#configure(definition),
      ...(buckets && { buckets: [...buckets] }),
    });
  }

  /** Awaits this before metrics are read: for gauges whose values take asking. Must not reject. */
  refreshWith(refresh: () => Promise<void>): void {
    this.#refreshers.push(refresh);
  }

  #configure<L extends string>({ name, help, labels }: MetricDefinition<MetricKind, L>) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

function collecting<M>(collect: (metric: M) => void): { collect(this: M): void } {
  return {
    collect() {
      collect(this);
    },
  };
}
