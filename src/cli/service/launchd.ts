import { join } from 'node:path';
import { homeDirectory } from '../../home.ts';
import { serviceName, type ServiceDefinition, type ServiceManager } from './definition.ts';

/** A user agent of launchd; its log goes where launchd is told. */
export const launchd: ServiceManager = {
  fileName: (session) => `${label(session)}.plist`,
  directory: () => join(homeDirectory(), 'Library', 'LaunchAgents'),
  file: plist,
  enable: (file) => [
    ['launchctl', 'unload', agentPath(file)],
    ['launchctl', 'load', '-w', agentPath(file)],
  ],
  disable: (file) => [['launchctl', 'unload', '-w', agentPath(file)]],
  status: (file) => ['launchctl', 'list', file.replace(/\.plist$/, '')],
};

function label(session: string): string {
  return `tunnel-vps.${serviceName(session)}`;
}

function agentPath(file: string): string {
  return join(launchd.directory(), file);
}

function plist({ session, command, directory, environment }: ServiceDefinition): string {
  const strings = (values: readonly string[]): string =>
    values.map((value) => `    <string>${escaped(value)}</string>\n`).join('');
  const variables = Object.entries(environment)
    .map(([name, value]) => `    <key>${escaped(name)}</key><string>${escaped(value)}</string>\n`)
    .join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>${escaped(label(session))}</string>
  <key>ProgramArguments</key>
  <array>
${strings(command)}  </array>
  <key>WorkingDirectory</key><string>${escaped(directory)}</string>
  <key>EnvironmentVariables</key>
  <dict>
${variables}  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>Crashed</key><true/></dict>
  <key>ThrottleInterval</key><integer>5</integer>
</dict>
</plist>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
