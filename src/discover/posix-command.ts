/**
 * The command line that runs a POSIX shell script, whatever shell the user has there: sh, fish and csh agree about
 * text in single quotes as long as it holds none of `'`, `!` and `\\`, and for csh no line break. So lines of the
 * script are joined by blanks, and each must end in a `;` where a shell wants one.
 *
 * The arguments may hold anything but NUL. They arrive encoded in `$1`, `$2`…, to be decoded by `printf %b`.
 */
export function posixCommand(script: string, ...args: readonly string[]): string {
  const line = script.trim().replaceAll(/\s*\n\s*/g, ' ');
  return ['exec', 'sh', '-c', `'${line}'`, 'sh', ...args.map((arg) => `'${encode(arg)}'`)].join(' ');
}

/** Whatever is not a harmless character becomes the octal escape of its bytes that `%b` knows: `\0` and three digits. */
function encode(text: string): string {
  return text.replaceAll(/[^\w./-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
  );
}
