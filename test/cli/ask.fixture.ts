import { terminalAsk } from '../../src/cli/prompt.ts';

// Asks what it is told to, as JSON questions, and prints the answers on standard output.
const ask = terminalAsk(() => process.stdout.write('interrupted\n'));
for (const question of process.argv.slice(2)) {
  const answer = await ask?.(JSON.parse(question) as { text: string; echo: boolean });
  process.stdout.write(`${JSON.stringify({ asked: ask !== undefined, answer })}\n`);
}
