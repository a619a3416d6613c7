import { endWithParent } from './endWithParent.mjs';
import { setUp } from './setup.mjs';

endWithParent();
await setUp();
// In this very process, so that Ctrl-C and SIGTERM reach the system directly.
await import('../../dist/src/main/main.js');
