export function obtainRedisServer(): Promise<string>;

export function redisServerMissingMessage(failures: string[]): string;
