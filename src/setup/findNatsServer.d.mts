export interface FinderOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly home?: string;
}

export function findNatsServer(options?: FinderOptions): string | null;
