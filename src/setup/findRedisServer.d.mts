export function findRedisServer(options?: { readonly env?: NodeJS.ProcessEnv }): string | null;
