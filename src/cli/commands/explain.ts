import { access } from 'node:fs/promises';
import { parseDestination } from '../../config/destination.ts';
import { chosenForwards } from '../../config/forwards.ts';
import type { HostSettings } from '../../config/settings.ts';
import { resolveSettings } from '../../config/ssh-config.ts';
import type { ForwardSpec } from '../../spec.ts';
import { chooseTransport } from '../../ssh/choose-transport.ts';
import { configuredOptions, unhonoured } from '../../ssh/honoured.ts';
import type { ExplainCommand } from '../command.ts';
import { shownValues } from '../layers/shown-values.ts';
import {
  explanationDocument,
  explanationLines,
  type Explanation,
  type FileState,
} from '../output/explanation.ts';
import { messages } from '../output/messages.ts';
import type { Screens } from '../output/output.ts';
import { columnsOf, painter } from '../output/screen.ts';

/**
 * Shows what opening a session would do. Nothing is connected to but agents and masters of ssh on this machine. Fulfils
 * with the exit status; throws a `UsageError` for a configuration that cannot be used.
 */
export async function explain(command: ExplainCommand, screens: Screens = process): Promise<number> {
  const { stdout, stderr } = screens;
  const say = messages(command, painter(stderr), (line) => stderr.write(`${line}\n`));
  const settings = await resolveSettings(command.destination, command.ssh);
  const transport = await chooseTransport(settings, command.transport, {
    debug: say.debug,
    warn: say.warning,
  });
  const forwards = chosenForwards(settings, command.forwards);
  const values = shownValues(command.sources ?? [], settings, forwards);
  const explanation = { ...(await gather(settings, transport, forwards)), values };
  if (command.json) {
    const warnings = [...settings.warnings, ...unhonoured(settings, transport.carrier)];
    stdout.write(`${JSON.stringify(explanationDocument(explanation, warnings), undefined, 2)}\n`);
  } else {
    for (const message of settings.warnings) say.warning(message);
    stdout.write(`${explanationLines(explanation, painter(stdout), columnsOf(stdout)).join('\n')}\n`);
  }
  return 0;
}

async function gather(
  settings: HostSettings,
  transport: Explanation['transport'],
  forwards: readonly ForwardSpec[],
): Promise<Omit<Explanation, 'values'>> {
  const { proxyJump, jumpFlags, userKnownHostsFiles, globalKnownHostsFiles } = settings;
  const [hops, identityFiles, knownHostsFiles] = await Promise.all([
    Promise.all(proxyJump.map((hop) => resolveSettings(parseDestination(hop), jumpFlags))),
    Promise.all(settings.identityFiles.map(async (file) => ({ ...file, ...(await fileState(file.path)) }))),
    Promise.all([...userKnownHostsFiles, ...globalKnownHostsFiles].map(fileState)),
  ]);
  const options = configuredOptions(settings, transport.carrier);
  // A list of hops leaves no room for a further one's own; only the nearest is reached as its configuration says.
  const route = hops.map((hop, index) => (index === 0 ? hop : { ...hop, proxyJump: [] }));
  return { settings, transport, hops: route, identityFiles, knownHostsFiles, forwards, options };
}

async function fileState(path: string): Promise<FileState> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  return { path, exists };
}
