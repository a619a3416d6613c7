#!/usr/bin/env node
import { setUp } from '../setup/setup.mjs';

// The command talks to a running system and needs no nats-server of its own.
await setUp({ quiet: true, natsServer: false });
await import('../../dist/src/cli/main.js');
