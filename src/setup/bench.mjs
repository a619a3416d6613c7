import { endWithParent } from './endWithParent.mjs';
import { setUp } from './setup.mjs';

/** `npm run bench [-- NAME …]`: set-up with the servers that are measured, then the scenarios. */
endWithParent();
await setUp({ natsServer: true, redisServer: true });
await import('../../dist/bench/main.js');
