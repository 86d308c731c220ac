import { setTimeout as sleep } from 'node:timers/promises';
import type { Sshd } from '../rig/sshd.ts';
import type { Chance } from './chance.ts';

/** Something that goes wrong for a while; everything is right again when it has settled. */
export type Fault = (scene: Scene, chance: Chance) => Promise<void>;

export interface Scene {
  readonly sshd: Sshd;
  /** The process of `tunnel`. */
  readonly pid: number;
}

export const faults: Readonly<Record<string, Fault>> = {
  reset: async ({ sshd }) => sshd.relay?.drop(),

  refused: async ({ sshd }, chance) => {
    await sshd.relay?.refuse(true);
    sshd.relay?.drop();
    await sleep(chance.between(100, 1500));
    await sshd.relay?.refuse(false);
  },

  blackhole: async ({ sshd }, chance) => {
    sshd.relay?.blackhole(true);
    await sleep(chance.between(100, 4000));
    sshd.relay?.blackhole(false);
  },

  slow: async ({ sshd }, chance) => {
    sshd.relay?.set({ delayMs: chance.between(50, 500) });
    await sleep(chance.between(200, 1500));
    sshd.relay?.set({});
  },

  narrow: async ({ sshd }, chance) => {
    sshd.relay?.set({ bytesPerSecond: chance.between(50_000, 2_000_000) });
    await sleep(chance.between(200, 1500));
    sshd.relay?.set({});
  },

  'sessions killed': async ({ sshd }) => sshd.killSessions(),

  'sshd restarted': async ({ sshd }, chance) => {
    await sshd.kill();
    await sleep(chance.between(0, 1000));
    await sshd.start();
  },

  asleep: async ({ pid }, chance) => {
    process.kill(pid, 'SIGSTOP');
    await sleep(chance.between(100, 3500));
    process.kill(pid, 'SIGCONT');
  },
};
