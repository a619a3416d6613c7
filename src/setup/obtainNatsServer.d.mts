export function obtainNatsServer(): Promise<string>;

export function natsServerMissingMessage(failures: string[]): string;
