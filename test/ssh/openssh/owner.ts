import { argv } from 'node:process';
import { resolveSettings } from '../../../src/config/ssh-config.ts';
import { connectWithOpenssh } from '../../../src/ssh/openssh/connect.ts';

// A program of its own that connects, so that a test can kill it: node --import tsx owner.ts HOST CONFIG
const [, , host = '', configFile = ''] = argv;
const nothing = (): void => undefined;
const signal = new AbortController().signal;
await connectWithOpenssh(
  await resolveSettings({ host }, { configFile }),
  { configFile },
  { ask: async () => 'yes', warn: nothing, debug: nothing, phase: nothing, signal },
);
console.log('ready');
