// The Debian package: what it holds, and its life on a machine from installation to purge.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { BINARY, REPOSITORY, run, startGateway, startProgram } from './harness.mjs';
import { bootMachine } from './nspawn.mjs';
import { packageOf, PACKAGES, unpack, VERSION } from './packages.mjs';

const ARCHITECTURES = ['amd64', 'arm64', 'armhf'];
const BINARY_BYTES_MAX = 20 << 20;
const README = '/usr/share/doc/roomcast/README.Debian';
const ENV_FILE = '/etc/roomcast/roomcast.env';

test('lintian finds nothing, and each package says what it is', async () => {
  for (const architecture of ARCHITECTURES) {
    const path = packageOf(architecture);
    await run('lintian', ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', path]);
    const field = async (name) => (await run('dpkg-deb', ['--field', path, name])).stdout.trim();
    assert.equal(await field('Package'), 'roomcast');
    assert.equal(await field('Version'), `${VERSION}-1`);
    assert.equal(await field('Architecture'), architecture);
    assert.match(await field('Depends'), /^libc6(:\w+)? \(>= 2\.\d+\), systemd \|/);
    assert.ok((await field('Description')).split('\n')[0].length < 80, 'the synopsis is one line');
  }
  await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: PACKAGES });
});

test('the package holds the binary, what systemd needs, the settings and the documents', async (t) => {
  const listed = (await run('dpkg-deb', ['--contents', packageOf('amd64')])).stdout.trim().split('\n');
  const files = new Map(listed.map((line) => line.split(/ +/)).map(([mode, owner, , , , path]) => [path.slice(1), `${mode} ${owner}`]));
  for (const path of [
    '/usr/lib/systemd/system/roomcast.service', '/usr/lib/sysusers.d/roomcast.conf', '/usr/lib/sysctl.d/60-roomcast.conf',
    '/etc/security/limits.d/roomcast.conf', '/usr/share/man/man1/roomcast.1.gz', '/usr/share/man/man1/roomcast-serve.1.gz', README,
    ...['README.md', 'copyright', 'changelog.gz', 'changelog.Debian.gz', 'third-party-notices', 'docs/releasing.md'].map((name) => `/usr/share/doc/roomcast/${name}`),
  ]) {
    assert.equal(files.get(path), '-rw-r--r-- 0/0', path);
  }
  assert.equal(files.get('/usr/bin/roomcast'), '-rwxr-xr-x 0/0');
  assert.equal(files.get(ENV_FILE), '-rw-r----- 0/0', 'it will hold a secret');
  const conffiles = (await run('dpkg-deb', ['--info', packageOf('amd64'), 'conffiles'])).stdout;
  assert.deepEqual(conffiles.trim().split('\n').sort(), [ENV_FILE, '/etc/security/limits.d/roomcast.conf']);

  const folder = await unpack(t, 'amd64');
  const settings = (path) => readFileSync(path, 'utf8').match(/^\w+=.*$/gm);
  const moved = {
    'PUB_KEY_PATH=certs/mine/cert.pem': 'PUB_KEY_PATH=/etc/roomcast/certs/cert.pem',
    'PRIV_KEY_PATH=certs/mine/key.pem': 'PRIV_KEY_PATH=/etc/roomcast/certs/key.pem',
    'WEBSOCKET_AUTH_TOKEN_SECRET=': 'WEBSOCKET_AUTH_TOKEN_SECRET_FILE=/etc/roomcast/secret',
  };
  const expected = settings(join(REPOSITORY, '.env_example')).map((line) => moved[line] ?? line);
  assert.deepEqual(settings(join(folder, ENV_FILE)), expected);
  for (const line of Object.values(moved)) assert.ok(expected.includes(line), line);
});

test('the changelog of the package holds the items of CHANGELOG.md whole', async (t) => {
  const packed = join(await unpack(t, 'amd64'), 'usr/share/doc/roomcast/changelog.Debian.gz');
  const whole = (text) => text.split(/\s+/).join(' ');
  const text = whole((await run('gzip', ['--decompress', '--stdout', packed])).stdout);
  const sections = readFileSync(join(REPOSITORY, 'CHANGELOG.md'), 'utf8').split('\n## ').slice(1);
  const section = [VERSION, 'Unreleased'].map((name) => sections.find((one) => one.startsWith(`${name}\n`))).find(Boolean);
  const items = section.split('\n- ').slice(1);
  const longest = items.reduce((one, other) => (one.length > other.length ? one : other));
  assert.ok(longest.includes('\n  '), 'it takes more than a line');
  for (const item of items) assert.ok(text.includes(`* ${whole(item.trim())} `), item);
});

test('each binary is stripped, and smaller than 20 MiB', async (t) => {
  for (const architecture of ARCHITECTURES) {
    const binary = join(await unpack(t, architecture), 'usr/bin/roomcast');
    const { size } = statSync(binary);
    t.diagnostic(`${architecture}: ${(size / (1 << 20)).toFixed(1)} MiB`);
    assert.ok(size < BINARY_BYTES_MAX, `${architecture}: ${size} bytes`);
    const sections = (await run('readelf', ['--section-headers', '--wide', binary])).stdout;
    assert.match(sections, / \.text /);
    assert.doesNotMatch(sections, / \.(symtab|debug_\w+) /, architecture);
  }
});

test('the version stands in Cargo.toml alone', async (t) => {
  const binary = join(await unpack(t, 'amd64'), 'usr/bin/roomcast');
  for (const program of [binary, BINARY]) {
    assert.equal((await run(program, ['--version'])).stdout, `roomcast ${VERSION}\n`);
  }
  const gateway = await startGateway(t, {}, binary);
  const answer = await fetch(`http://127.0.0.1:${gateway.admin}/version`);
  assert.equal((await answer.json()).version, VERSION);
  await gateway.stop();

  // Lock files name the versions of others too; the changelog tells of every version.
  const others = [':!Cargo.toml', ':!*Cargo.lock', ':!*package-lock.json', ':!CHANGELOG.md'];
  const pattern = `(^|[^0-9.])${VERSION.replaceAll('.', '\\.')}($|[^0-9.]|\\.$)`;
  const stated = await run('git', ['grep', '-I', '-n', '-E', pattern, '--', ...others], { cwd: REPOSITORY })
    .then(({ stdout }) => stdout, (error) => { assert.equal(error.code, 1, error.message); return ''; });
  assert.equal(stated, '');
  const cargo = readFileSync(join(REPOSITORY, 'Cargo.toml'), 'utf8').split('\n').filter((line) => line === `version = "${VERSION}"`);
  assert.equal(cargo.length, 1);
});

// What the package's README tells to type, in its order.
async function steps(machine) {
  const lines = (await machine.sh(`cat ${README}`)).split('\n').filter((line) => line.startsWith('    '));
  assert.ok(lines.length === 6 && lines.at(-1).includes('systemctl enable --now roomcast'), lines.join('\n'));
  return lines.map((line) => line.trim());
}

async function publishThrough(t, machine) {
  const ca = ['--cacert', '/etc/roomcast/certs/ca.pem'];
  const listen = ['tail', '--user', 'room-1', '--count', '1', '--secret-file', '/etc/roomcast/secret', ...ca];
  const tail = startProgram(t, 'nsenter', machine.inside('roomcast', listen));
  await tail.line((line) => line.includes('listening'));
  await machine.run('roomcast', ['publish', '--target', 'room-1', '--data', '{"message":"hello"}', ...ca]);
  assert.deepEqual(await tail.exit, [0, null], tail.text);
  assert.match(tail.text, /"message":"hello"/);
}

test('installed, filled in, started, upgraded, removed and purged', async (t) => {
  const machine = await bootMachine(t, [
    '--overlay=+/var::/var', '--overlay=/etc/pam.d::/etc/pam.d', '--overlay=/etc/security::/etc/security',
    `--bind-ro=${PACKAGES}:/packages`,
  ]);
  // Its /etc lacks groups that this system's packages made, and a container's rule that no service is started is not for it.
  await machine.sh('> /var/lib/dpkg/statoverride; rm -f /usr/sbin/policy-rc.d');
  const deb = packageOf('amd64').replace(PACKAGES, '/packages');
  const state = () => machine.sh('systemctl show --property=LoadState,ActiveState,UnitFileState,NRestarts roomcast | sort');
  const mainPid = async () => (await machine.sh('systemctl show --property=MainPID --value roomcast')).trim();

  const installed = await machine.sh(`dpkg --install ${deb} 2>&1`);
  assert.match(installed, /neither enabled nor started/);
  assert.equal(await state(), 'ActiveState=inactive\nLoadState=loaded\nNRestarts=0\nUnitFileState=disabled\n');
  assert.equal(await machine.sh(`stat --format '%a %U:%G' ${ENV_FILE}`), '640 root:roomcast\n');
  // Started as it is, it tells what is missing, and does not try again.
  await assert.rejects(machine.sh('systemctl start roomcast'));
  assert.match(await state(), /^ActiveState=failed\nLoadState=loaded\nNRestarts=0\n/);
  const complaint = await machine.sh('journalctl --unit roomcast --output cat');
  for (const key of ['PUB_KEY_PATH', 'WEBSOCKET_AUTH_TOKEN_SECRET_FILE']) assert.match(complaint, new RegExp(key));

  for (const step of await steps(machine)) await machine.sh(step);
  assert.equal(await state(), 'ActiveState=active\nLoadState=loaded\nNRestarts=0\nUnitFileState=enabled\n');
  await publishThrough(t, machine);

  // The same version again is an upgrade to dpkg: what the operator wrote stays, and the service is a new process.
  const before = { pid: await mainPid(), env: await machine.sh(`cat ${ENV_FILE}`) };
  assert.doesNotMatch(await machine.sh(`dpkg --install ${deb} 2>&1`), /neither enabled/);
  assert.match(await state(), /^ActiveState=active\n/);
  assert.notEqual(await mainPid(), before.pid);
  assert.equal(await machine.sh(`cat ${ENV_FILE}`), before.env);
  assert.equal(await machine.sh(`stat --format '%a %U:%G' ${ENV_FILE}`), '640 root:roomcast\n');
  await publishThrough(t, machine);

  await machine.sh('dpkg --remove roomcast');
  assert.equal(await machine.sh('pgrep --exact roomcast || echo "exit code $?"'), 'exit code 1\n', 'no such process');
  assert.match(await state(), /^ActiveState=(inactive|failed)\nLoadState=(masked|not-found)\n/);
  assert.equal(await machine.sh(`cat ${ENV_FILE}`), before.env);
  const theirs = '/etc/roomcast:\ncerts\nsecret\n\n/etc/roomcast/certs:\nca-key.pem\nca.pem\ncert.pem\nkey.pem\n';
  assert.equal(await machine.sh('ls -R --ignore=roomcast.env /etc/roomcast'), theirs);

  await machine.sh('dpkg --purge roomcast');
  const left = await machine.sh('find /etc /usr /var /run -xdev -name "*roomcast*" -not -path "/run/systemd/nspawn*" | sort');
  assert.equal(left, '/etc/roomcast\n');
  assert.equal(await machine.sh('ls -R /etc/roomcast'), theirs);
  await machine.stop();
});
