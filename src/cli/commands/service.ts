import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NotFoundError, systemCode, UsageError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { ServiceCommand } from '../command.ts';
import type { Screens } from '../output/output.ts';
import { contents, replaceFile, withFile } from '../persons-file.ts';
import type { ServiceDefinition, ServiceManager } from '../service/definition.ts';
import { launchd } from '../service/launchd.ts';
import { systemd } from '../service/systemd.ts';

/** What a session at login finds its files and its agent with. */
const KEPT_VARIABLES = [
  'TUNNEL_CONFIG_DIR',
  'TUNNEL_STATE_DIR',
  'TUNNEL_RUNTIME_DIR',
  'SSH_AUTH_SOCK',
  'PATH',
];

/**
 * Has a session opened at each login, or no longer. Doing so twice is as good as once. Fulfils with the exit status;
 * throws a `UsageError` where there is nothing that keeps services, or no home to keep them in, and a `NotFoundError` for
 * one that is not installed.
 */
export async function service(command: ServiceCommand, screens: Screens = process): Promise<number> {
  const manager = managerOf(process.platform);
  const name = manager.fileName(command.session);
  const path = join(manager.directory(), name);
  if (command.print) {
    screens.stdout.write(
      command.action === 'install' ? manager.file(definition(command)) : readInstalled(path, command),
    );
    return 0;
  }
  switch (command.action) {
    case 'install':
      return await install(manager, path, name, command, screens);
    case 'uninstall':
      return await uninstall(manager, path, name, command, screens);
    case 'status':
      readInstalled(path, command);
      return await show(manager.status(name), screens);
  }
}

function managerOf(platform: NodeJS.Platform): ServiceManager {
  if (platform === 'linux') return systemd;
  if (platform === 'darwin') return launchd;
  throw new UsageError(
    'no-service-manager',
    `tunnel service knows systemd and launchd, and neither is on ${platform}`,
    {
      hint: ['Start tunnel HOST SPEC... --wait from whatever starts programs at login there.'],
    },
  );
}

function definition({ session, words }: ServiceCommand): ServiceDefinition {
  const kept = KEPT_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const wait = words.includes('--wait=true') ? [] : ['--wait'];
  return {
    session,
    command: [process.execPath, resolve(process.argv[1] ?? ''), ...wait, ...words.map(withoutTrue)],
    directory: process.cwd(),
    environment: Object.fromEntries(kept),
  };
}

/** `--json=true` is how a switch is read, not how it is written. */
function withoutTrue(word: string): string {
  return /^--[\w-]+=true$/.test(word) ? word.slice(0, -'=true'.length) : word;
}

async function install(
  manager: ServiceManager,
  path: string,
  name: string,
  command: ServiceCommand,
  { stdout, stderr }: Screens,
): Promise<number> {
  const hint = [
    'A service at login is kept in the home directory.',
    'To see what would be written, and put it where it can be: add --print',
  ];
  withFile(path, hint, () => replaceFile(path, manager.file(definition(command)), 0o600));
  stdout.write(`Installed ${path}\n`);
  const commands = manager.enable(name);
  const failed = await runAll(commands);
  if (failed === undefined) {
    stdout.write(
      `${command.session} is opened now and at each login. To see it: tunnel service status ${shellWord(command.session)}\n`,
    );
    return 0;
  }
  stderr.write(
    `! It could not be started: ${failed}\n  Start it with: ${commands.map(shown).join(' && ')}\n`,
  );
  return 1;
}

async function uninstall(
  manager: ServiceManager,
  path: string,
  name: string,
  command: ServiceCommand,
  { stdout, stderr }: Screens,
): Promise<number> {
  if (!existsSync(path)) {
    stderr.write(`There is no service for ${command.session}\n`);
    return 0;
  }
  const failed = await runAll(manager.disable(name));
  withFile(path, ['Remove it by hand.'], () => rmSync(path));
  stdout.write(`Removed ${path}\n`);
  if (failed !== undefined) stderr.write(`! It may still run: ${failed}\n`);
  return failed === undefined ? 0 : 1;
}

function readInstalled(path: string, { session }: ServiceCommand): string {
  const text = withFile(path, ['Make it readable.'], () => contents(path));
  if (text !== '') return text;
  throw new NotFoundError('no-service', `There is no service for ${session}`, {
    hint: [`To install it: tunnel service install ${shellWord(session)} SPEC...`],
  });
}

async function runAll(commands: readonly (readonly string[])[]): Promise<string | undefined> {
  for (const command of commands) {
    const { status, output } = await run(command);
    if (status !== 0) return `${shown(command)}: ${output.trim().split('\n').at(-1) ?? ''}`;
  }
  return undefined;
}

async function show(command: readonly string[], { stdout }: Screens): Promise<number> {
  const { status, output } = await run(command);
  stdout.write(output);
  return status === 0 ? 0 : 1;
}

function run([program = '', ...args]: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((done) => {
    execFile(program, args, (error, stdout, stderr) => {
      const missing = systemCode(error) === 'ENOENT' ? `${program} is not installed here\n` : '';
      done({ status: error === null ? 0 : 1, output: stdout + stderr + missing });
    });
  });
}

function shown(command: readonly string[]): string {
  return command.map(shellWord).join(' ');
}
