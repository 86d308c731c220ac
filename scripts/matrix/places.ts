import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Rig } from '../../test/rig/rig.ts';
import type { SshClient } from '../../test/rig/ssh-client.ts';
import { install } from './install.ts';
import type { Node } from './nodes.ts';
import type { Remote } from './remote.ts';

/** Where the package is used: what there is, and who uses it. */
export interface Place {
  readonly name: string;
  readonly rig: Rig;
  readonly node: Node;
  /** Put before a command, runs it as who is here. */
  readonly prefix: readonly string[];
  /** Has `tunnel` in its PATH. */
  readonly env: NodeJS.ProcessEnv;
  /** How `client.name` is reached. */
  readonly client: SshClient;
  readonly lacks: 'nothing' | 'compiler' | 'openssh' | 'home';
}

const COMPILERS = /^(?:(?:.*-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-\d+)?|g?make|python.*)$/;
const OPENSSH_CLIENT = /^(?:ssh|slogin|scp|sftp|ssh-.*)$/;
/** By number: its name is everywhere, and that of its group is not. */
const NOBODY = 65_534;

/** Installs the package with a compiler and without, and furnishes every place that this user can. */
export async function furnish(rig: Rig, remote: Remote, node: Node, archive: string): Promise<Place[]> {
  const onlyNode = rig.folder('node');
  symlinkSync(node.program, join(onlyNode, 'node'));
  const path = [onlyNode, rig.env['PATH']].join(delimiter);
  const withoutCompiler = programsBut(COMPILERS, path, rig.folder('bin'));
  const withoutOpenssh = programsBut(OPENSSH_CLIENT, path, rig.folder('bin'));
  const [bin, poorBin] = await Promise.all([
    install(archive, node, rig.folder('installed'), path),
    install(archive, node, rig.folder('installed'), withoutCompiler),
  ]);
  const place = (name: string, lacks: Place['lacks'], programs: string, installed = bin): Place => ({
    name,
    rig,
    node,
    prefix: [],
    env: environment([installed, programs], { HOME: rig.folder('home') }),
    client: remote.sshd.client,
    lacks,
  });
  const places = [
    place('as it comes', 'nothing', path),
    place('installed without a compiler', 'compiler', withoutCompiler, poorBin),
    place("without OpenSSH's client", 'openssh', withoutOpenssh),
  ];
  if (process.getuid?.() !== 0) {
    console.log('Not root: what a user without a home meets is left out.');
    return places;
  }
  const client = clientOfNobody(rig, remote);
  const homeless = (name: string, home: NodeJS.ProcessEnv): Place => ({
    name,
    rig,
    node,
    prefix: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'],
    env: environment([bin, path], { ...home, TUNNEL_RUNTIME_DIR: ownedFolder(rig) }),
    client,
    lacks: 'home',
  });
  return [
    ...places,
    homeless('nobody, HOME=/nonexistent', { HOME: '/nonexistent' }),
    homeless('nobody, without HOME', {}),
  ];
}

function environment(path: readonly string[], more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: path.join(delimiter), LANG: 'C.UTF-8', SHELL: '/bin/bash', ...more };
}

/** Fills a folder with links to all programs of `path` whose names do not match, and gives it. */
function programsBut(names: RegExp, path: string, folder: string): string {
  const found = new Map<string, string>();
  // The first of a name is the one that counts.
  for (const from of path
    .split(delimiter)
    .filter((directory) => existsSync(directory))
    .toReversed()) {
    for (const name of readdirSync(from)) found.set(name, join(from, name));
  }
  for (const [name, file] of found) if (!names.test(name)) symlinkSync(file, join(folder, name));
  return folder;
}

function ownedFolder(rig: Rig): string {
  const folder = rig.folder('run');
  chownSync(folder, NOBODY, NOBODY);
  chmodSync(folder, 0o700);
  return folder;
}

/** Keys count only where nobody else may read them, so each user has a copy. */
function clientOfNobody(rig: Rig, { sshd }: Remote): SshClient {
  const file = join(rig.folder('key'), 'id');
  copyFileSync(sshd.identity.file, file);
  chownSync(file, NOBODY, NOBODY);
  return sshd.writeClient({ name: 'vps-of-nobody', identity: { ...sshd.identity, file } });
}
