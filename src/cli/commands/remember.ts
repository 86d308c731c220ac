import { rememberSpecs } from '../../config/spec-cache.ts';
import { formatSpec, type ForwardSpec } from '../../spec.ts';

/** Has completion offer what was opened. A socket here is left out: its path means something in one folder only. */
export function remember(name: string, forwards: readonly ForwardSpec[]): void {
  const local = forwards.filter(({ kind, listen }) => kind === 'local' && listen.kind === 'tcp');
  rememberSpecs(name, local.map(formatSpec));
}
