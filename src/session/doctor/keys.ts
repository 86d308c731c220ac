import type { HostSettings } from '../../config/settings.ts';
import { Agent } from '../../ssh/ssh2/agent.ts';
import { readKeyFile } from '../../ssh/ssh2/key-file.ts';
import { failed, ok, skipped, warning, type Outcome, type Report } from './finding.ts';

/** What there is to log in with. */
export interface Keys {
  /** Why there is no key, if there is none. */
  readonly lacking?: string;
}

/** The agent, and the identity files: whether they are there and whether they are private enough to be used. */
export async function checkKeys(settings: HostSettings, report: Report): Promise<Keys> {
  let held = 0;
  const agent = await report.step('agent', async () => {
    const { outcome, count } = await askAgent(settings);
    held = count;
    return outcome;
  });
  const usable: string[] = [];
  const obstacles: string[] = [];
  for (const file of settings.identityFiles) {
    const { obstacle, privateKey } = await readKeyFile(file);
    if (obstacle === undefined && privateKey !== undefined) {
      usable.push(file.path);
      report.add(
        'key',
        ok(`${file.path} is a private key${privateKey.encrypted ? ', with a passphrase' : ''}`),
      );
    } else if (obstacle !== undefined) {
      obstacles.push(`${file.path} ${obstacle}`);
      const unprotected = obstacle.includes('UNPROTECTED');
      if (unprotected)
        report.add('key', failed(`${file.path} ${obstacle}`, [`Put it right: chmod 600 ${file.path}`]));
      else if (file.explicit) report.add('key', warning(`${file.path} ${obstacle}`));
    }
  }
  if (usable.length > 0 || held > 0) return {};
  return { lacking: [agent.what, ...obstacles.slice(0, 3)].join('; ') };
}

async function askAgent({ identityAgent: path }: HostSettings): Promise<{ outcome: Outcome; count: number }> {
  if (path === undefined) {
    return {
      outcome: skipped('No agent is used: SSH_AUTH_SOCK is not set, or IdentityAgent is none'),
      count: 0,
    };
  }
  try {
    const keys = await new Agent(path).keys();
    const count = keys.length;
    if (count === 0) {
      return { outcome: warning(`The agent at ${path} holds no key`, ['Give it one: ssh-add']), count };
    }
    return { outcome: ok(`The agent holds ${count === 1 ? 'one key' : `${count} keys`}`), count };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      outcome: warning(`The agent at ${path} does not answer: ${why}`, ['Start one: eval $(ssh-agent)']),
      count: 0,
    };
  }
}
