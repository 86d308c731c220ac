import { findProject, isTrusted, trust, type Project } from '../../config/project.ts';
import { formatSpec } from '../../spec.ts';
import type { Messages } from '../output/messages.ts';
import { terminalAsk } from '../prompt.ts';
import type { Layer } from './layer.ts';
import { projectLayer } from './profile-layer.ts';

/**
 * What the project's file says, once the person has agreed to just these contents; they are asked if somebody is there
 * and `mayAsk`. Throws a `UsageError` for a file that asks for what a project must not have.
 */
export async function projectLayers(say: Messages, mayAsk: boolean): Promise<Layer[]> {
  const project = findProject(process.cwd());
  if (project === undefined) return [];
  const agreed = await isTrusted(project, say.warning);
  if (!agreed) {
    if (!mayAsk || !(await isAgreed(project))) {
      say.warning(
        `${project.path} is left out: you have not agreed to it as it is now.\nYou are asked in a terminal.`,
      );
      return [];
    }
    await trust(project, say.warning);
  }
  say.note(`What to open is in ${project.path}`);
  return [projectLayer(project)];
}

async function isAgreed(project: Project): Promise<boolean> {
  let interrupted = false;
  const ask = terminalAsk(() => {
    interrupted = true;
  });
  const answer = await ask?.({ text: questionAbout(project), echo: true, confirm: true });
  // Nothing has been begun that would have to be ended in good order.
  if (interrupted) process.kill(process.pid, 'SIGINT');
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

function questionAbout({ path, forwards = [], routes = [] }: Project): string {
  return [
    `${path} wants these opened:`,
    ...forwards.map((spec) => `  ${formatSpec(spec)}`),
    ...routes.map((route) => `  route ${route}`),
    'Open them here from now on, until the file changes (yes/no)? ',
  ].join('\n');
}
