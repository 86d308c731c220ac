import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8');

/** What is in the README's blocks of a language, in their order. */
export function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, body]) => body ?? '',
  );
}

/** The lines that a person types, in their order, without what is said of them. */
export function commands(): string[] {
  return blocks('console').flatMap((block) =>
    [...block.matchAll(/^\$ (.*?)(?: {2,}# .*)?$/gm)].map(([, command = '']) => command),
  );
}
