/**
 * The files in a value such as `~/.ssh/known_hosts /etc/hosts keys`, which `ssh -G` prints without quotes: a word that
 * does not begin like a path goes on with the one before it, whose name has a space.
 */
export function splitPaths(value: string): string[] {
  const paths: string[] = [];
  for (const word of value.split(' ')) {
    const before = paths.at(-1);
    if (before === undefined || /^[/~%$]/.test(word) || !/^[/~%$]/.test(before)) paths.push(word);
    else paths[paths.length - 1] = `${before} ${word}`;
  }
  return paths.filter((path) => path !== '');
}
