import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian and others keep sshd and useradd, which a plain user's PATH does not name. */
const systemPath = [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);

/**
 * An environment in which the program finds nothing of the person who runs the tests: no agent, no configuration, no
 * NODE_OPTIONS, and none of the test runner's own variables.
 */
export function cleanEnv(dir: string): NodeJS.ProcessEnv {
  const place = (name: string): string => {
    const path = join(dir, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  return {
    PATH: systemPath,
    LANG: 'C.UTF-8',
    HOME: place('home'),
    TMPDIR: place('tmp'),
    TUNNEL_CONFIG_DIR: place('config'),
    TUNNEL_STATE_DIR: place('state'),
    TUNNEL_RUNTIME_DIR: place('run'),
  };
}

/** The environment of a server: a path, and nothing to write into a home. */
export function serverEnv(home: string): NodeJS.ProcessEnv {
  return {
    PATH: systemPath,
    LANG: 'C.UTF-8',
    HOME: home,
    PYTHONDONTWRITEBYTECODE: '1',
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
  };
}
