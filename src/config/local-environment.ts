import { hostname, userInfo } from 'node:os';
import { homeDirectory } from '../home.ts';

/** Who runs this program and where: what `~`, `%u` or `Match localuser` in a configuration stand for. */
export interface LocalEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** From the passwd entry and not from `HOME`, as in ssh. */
  readonly home: string;
  readonly user: string;
  readonly uid: number;
  readonly hostname: string;
  /** What relative file names start from. */
  readonly directory: string;
  /** Where the system's `ssh_config` is. */
  readonly systemDirectory: string;
  /** False where the user has no passwd entry, as in many containers; ssh does not run there. */
  readonly hasAccount: boolean;
}

export function localEnvironment(): LocalEnvironment {
  return {
    ...account(),
    uid: process.getuid?.() ?? 0,
    env: process.env,
    hostname: hostname(),
    directory: process.cwd(),
    systemDirectory: '/etc/ssh',
  };
}

function account(): Pick<LocalEnvironment, 'home' | 'user' | 'hasAccount'> {
  try {
    const { homedir: home, username: user } = userInfo();
    return { home, user, hasAccount: true };
  } catch {
    // os.userInfo throws when there is no passwd entry.
    const { USER, LOGNAME } = process.env;
    return { home: homeDirectory(), user: USER ?? LOGNAME ?? '', hasAccount: false };
  }
}
