const UTF8 = {
  done: '✔',
  failed: '✖',
  doubtful: '⚠',
  skipped: '–',
  ready: '●',
  waiting: '○',
  way: '◆',
  to: '→',
  up: '↑',
  down: '↓',
  and: '·',
  cut: '…',
  here: '❯',
  chosen: '◉',
  open: '◯',
} as const;

const ASCII: Readonly<Record<keyof typeof UTF8, string>> = {
  done: '+',
  failed: 'x',
  doubtful: '!',
  skipped: '-',
  ready: '*',
  waiting: 'o',
  way: '~',
  to: '->',
  up: '^',
  down: 'v',
  and: '|',
  cut: '...',
  here: '>',
  chosen: '[x]',
  open: '[ ]',
};

/** Whether the locale's characters are UTF-8, by the first of its variables that is set: POSIX, 8.2. */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Readonly<NodeJS.ProcessEnv>): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

export const hasUtf8 = isUtf8(process.env);

/** What stands before a line and between its parts. Elsewhere than in UTF-8 these would be shown as something else. */
export const marks: Readonly<Record<keyof typeof UTF8, string>> = hasUtf8 ? UTF8 : ASCII;
