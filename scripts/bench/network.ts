// `node network.ts PORT`, with a channel to its parent: the network in front of sshd, in a process of its own, as what a
// client does must not hold it up. It tells its port, and is told what it is like.
import { type Conditions, startRelay } from '../../test/rig/relay.ts';

const relay = await startRelay({ port: Number(process.argv[2]) });
process.on('message', (conditions: Conditions) => {
  relay.set(conditions);
  process.send?.('set');
});
process.on('disconnect', () => process.exit());
process.send?.(relay.port);
