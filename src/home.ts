import { homedir } from 'node:os';

/** HOME, else that of the passwd entry, else `/`, which is where login(1) puts a user who has none. */
export function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}
