import { describe, expect, it } from 'vitest';
import { parseDatabaseUrl } from '../../../../src/platform/postgres/databaseUrl.ts';

const BASE = 'postgresql://chat:pa%40ss@db:5432/chat';

describe('DATABASE_URL', () => {
  it('sets the pool with connection_limit and pool_timeout (in seconds), which pg never sees', () => {
    const parsed = parseDatabaseUrl(
      `${BASE}?connection_limit=20&sslmode=disable&pool_timeout=5&schema=public`,
    );
    expect(parsed).toEqual({
      connectionString: `${BASE}?sslmode=disable`,
      where: 'db:5432/chat',
      connectionsMax: 20,
      acquireMsMax: 5_000,
    });
  });

  it('may leave both out', () => {
    expect(parseDatabaseUrl(BASE)).toMatchObject({
      connectionString: BASE,
      connectionsMax: null,
      acquireMsMax: null,
    });
  });

  it.each([
    ['mysql://db/chat', /must have the form postgresql:/],
    ['', /must have the form postgresql:/],
    [`${BASE}?connection_limit=0`, /connection_limit=0: it must be a whole number from 1/],
    [`${BASE}?pool_timeout=1.5`, /pool_timeout=1.5/],
    [`${BASE}?schema=other`, /schema=other/],
  ])('%s is refused, without its password', (url, message) => {
    expect(() => parseDatabaseUrl(url)).toThrow(message);
    expect(() => parseDatabaseUrl(url)).not.toThrow(/pa%40ss/);
  });
});
