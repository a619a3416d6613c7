import { median } from './conversations.ts';
import { askAtOnce, type HttpLoad } from './httpLoad.ts';
import type { MeasuredServer } from './measured.ts';

/** One of several servers that are measured in turns. */
export interface Turn {
  readonly name: string;
  readonly server: MeasuredServer;
  readonly load: (round: number) => Omit<HttpLoad, 'port'>;
}

export interface TurnFigures {
  /** Requests per second, median of the rounds. */
  readonly perSecond: number;
  /** Processor time of the server per request in microseconds, median of the rounds. */
  readonly cpuMicroseconds: number;
  /** The first server's rate over this one's in the same round, median of the rounds. */
  readonly ratio: number;
}

/**
 * Measures servers in turns, several rounds of them, and says what each round gave. Round 0 lets them warm up and does
 * not count. Ratios are taken within a round, because what else the machine does changes from one to the next.
 */
export async function inTurns(turns: readonly Turn[], rounds: number): Promise<Map<string, TurnFigures>> {
  const seen = turns.map(({ name }) => {
    return { name, rates: [] as number[], costs: [] as number[], ratios: [] as number[] };
  });
  for (let round = 0; round <= rounds; round++) {
    const measured: { rate: number; cost: number }[] = [];
    for (const turn of turns) measured.push(await measure(turn, round));
    const first = measured[0]?.rate ?? Number.NaN;
    const said = measured.map(({ rate, cost }, n) => {
      if (round > 0) {
        seen[n]?.rates.push(rate);
        seen[n]?.costs.push(cost);
        seen[n]?.ratios.push(first / rate);
      }
      return `${turns[n]?.name} ${Math.round(rate)}/s (${cost.toFixed(0)} µs)`;
    });
    const ratios = measured.slice(1).map(({ rate }) => (first / rate).toFixed(2));
    console.log(`round ${round}: ${said.join(', ')}, ratio ${ratios.join(', ')}`);
  }
  return new Map(
    seen.map(({ name, rates, costs, ratios }) => [
      name,
      { perSecond: median(rates), cpuMicroseconds: median(costs), ratio: median(ratios) },
    ]),
  );
}

async function measure({ server, load }: Turn, round: number): Promise<{ rate: number; cost: number }> {
  const wanted = { ...load(round), port: server.port };
  const before = await server.cpuSeconds();
  const rate = await askAtOnce(wanted);
  const cost = (((await server.cpuSeconds()) - before) * 1e6) / wanted.requests;
  return { rate, cost };
}
