// A machine with a systemd of its own: this system's /usr, an empty /etc and /var, a network with loopback alone. What is
// written in it is gone when it stops, and nothing outside of it is touched but a folder of control groups.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

import { requireRoot, run, startProgram, until, within } from './harness.mjs';

const POWER_OFF = 34 + 4; // SIGRTMIN+4, by which a systemd that is process 1 powers off
const CGROUPS = '/sys/fs/cgroup';

// Boots it up to basic.target: no service of this system but those that systemd itself needs. `options` go to
// systemd-nspawn as they are: ['--bind-ro=/folder', '--overlay=/var/lib/dpkg::/var/lib/dpkg'].
export async function bootMachine(t, options = []) {
  requireRoot();
  const name = `roomcast-${randomBytes(4).toString('hex')}`;
  const cgroups = cgroupFolders(name);
  for (const folder of cgroups) mkdirSync(folder);

  // In control groups of its own: two machines in the same one would kill each other's services.
  const enter = 'for group; do [ "$group" = -- ] && break; echo $$ > "$group/cgroup.procs"; shift; done; shift; exec "$@"';
  let machine;
  t.after(async () => {
    await machine?.kill();
    await until(() => { cgroups.forEach(removeFolders); return true; }, 'the end of the control groups');
  });
  machine = new Machine(startProgram(t, 'sh', ['-c', enter, 'sh', ...cgroups, '--',
    'systemd-nspawn', '-q', `--machine=${name}`, '-D', '/', '--volatile=yes', '--overlay=+/usr::/usr',
    '--register=no', '--keep-unit', '--private-network', ...options,
    '--boot', 'systemd.unit=basic.target', 'systemd.firstboot=no', 'systemd.mask=systemd-networkd-wait-online.service']));
  const booted = until(() => machine.tryBoot(), 'the boot');
  const { nspawn } = machine;
  const ended = nspawn.exit.then(() => { throw new Error(`systemd-nspawn ended:\n${nspawn.text}`); });
  ended.catch(() => {});
  await Promise.race([booted, ended]);
  return machine;
}

// The named hierarchy of systemd where control groups are of version 1, and that of version 2 wherever it is.
function cgroupFolders(name) {
  const roots = existsSync(join(CGROUPS, 'cgroup.controllers')) ? [CGROUPS] : ['systemd', 'unified'].map((root) => join(CGROUPS, root));
  return roots.filter((root) => existsSync(join(root, 'cgroup.procs'))).map((root) => join(root, name));
}

function removeFolders(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeFolders(join(folder, entry.name));
  }
  rmdirSync(folder);
}

class Machine {
  constructor(nspawn) {
    this.nspawn = nspawn;
  }

  // nsenter's arguments for a command in the machine.
  inside(file, args) {
    return ['-t', `${this.init}`, '-m', '-u', '-i', '-n', '-p', '--', file, ...args];
  }

  // The same for a command of this system in the machine's network.
  beside(file, args) {
    return ['-t', `${this.init}`, '-n', '--', file, ...args];
  }

  async tryBoot() {
    const { pid } = this.nspawn.child;
    this.init = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10) || null;
    if (!this.init || (await this.run('systemctl', ['is-active', 'basic.target'])).stdout !== 'active\n') return false;
    await this.run('ip', ['link', 'set', 'lo', 'up']);
    this.write('/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n');
    return true;
  }

  // Runs a program in the machine to its end; it fails unless it ends with 0.
  run(file, args = [], options = {}) {
    return run('nsenter', this.inside(file, args), options);
  }

  // The same for lines of shell; what they print is returned.
  async sh(script) {
    return (await this.run('sh', ['-euc', script])).stdout;
  }

  // Starts a program of this system in the machine's network, beside the test.
  startOutside(t, file, args, options = {}) {
    return startProgram(t, 'nsenter', this.beside(file, args), options);
  }

  // Runs a program of this system in the machine's network to its end.
  runOutside(file, args, options = {}) {
    return run('nsenter', this.beside(file, args), options);
  }

  write(path, text, mode = '644') {
    const script = 'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"';
    execFileSync('nsenter', this.inside('sh', ['-euc', script, 'sh', path, mode]), { input: text });
  }

  // Copies a file of this system, or of the repository, into the machine.
  copy(from, to, mode = '644') {
    this.write(to, readFileSync(from), mode);
  }

  // Powers it off as an operator does: its services are stopped in order.
  async stop() {
    process.kill(this.init, POWER_OFF);
    await within(this.nspawn.exit, () => `still running:\n${this.nspawn.text}`);
  }

  // Ends all that runs in it at once; systemd-nspawn then removes what it made.
  async kill() {
    const { child, exit } = this.nspawn;
    if (child.exitCode !== null || child.signalCode !== null) return;
    process.kill(this.init ?? child.pid, 'SIGKILL');
    await within(exit, () => 'systemd-nspawn does not end');
  }
}
