import { join } from 'node:path';
import { homeDirectory } from '../../home.ts';
import { serviceName, type ServiceDefinition, type ServiceManager } from './definition.ts';

/**
 * A user unit of systemd. A session reconnects by itself and waits for the network (`--wait`), so systemd starts it
 * again only after a crash, and not at all after wrong usage (2) or a refused login (255).
 */
export const systemd: ServiceManager = {
  fileName: (session) => `${serviceName(session)}.service`,
  directory: () =>
    join(process.env['XDG_CONFIG_HOME'] || join(homeDirectory(), '.config'), 'systemd', 'user'),
  file: unit,
  enable: (file) => [
    ['systemctl', '--user', 'daemon-reload'],
    ['systemctl', '--user', 'enable', '--now', file],
    // Enabling one that runs changes nothing: what was installed again is to count.
    ['systemctl', '--user', 'restart', file],
  ],
  disable: (file) => [['systemctl', '--user', 'disable', '--now', file]],
  status: (file) => ['systemctl', '--user', '--no-pager', 'status', file],
};

function unit({ session, command, directory, environment }: ServiceDefinition): string {
  return `# Written by tunnel service install; to take it away: tunnel service uninstall ${oneLine(session)}
[Unit]
Description=tunnel to ${oneLine(session)}
Documentation=man:ssh_config(5)
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
WorkingDirectory=${oneLine(directory)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  .join('')}ExecStart=${command.map(argument).join(' ')}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 255
StandardOutput=journal
StandardError=journal

[Install]
WantedBy=default.target
`;
}

/** systemd.syntax(7): percent signs are specifiers. */
function oneLine(text: string): string {
  return text.replaceAll('%', '%%').replaceAll(/[\r\n]/g, ' ');
}

function quoted(text: string): string {
  return `"${oneLine(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** systemd.service(5), COMMAND LINES: a dollar sign is a variable there, and nowhere else. */
function argument(word: string): string {
  return quoted(word).replaceAll('$', '$$$$');
}
