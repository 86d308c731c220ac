import { homedir, userInfo } from 'node:os';

/**
 * HOME, else that of the passwd entry, else `/`, which is where login(1) puts a user who has none. An empty HOME is as
 * none: what is under it would be in whatever folder the program is started in.
 */
export function homeDirectory(): string {
  try {
    return homedir() || userInfo().homedir;
  } catch {
    return '/';
  }
}
