// The unit and its companions: judged by systemd's own tools, and in a systemd that was booted for it, driven by the
// commands of docs/systemd.md.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { BINARY, makeFolder, REPOSITORY, requireRoot, run, until } from './harness.mjs';
import { bootMachine } from './nspawn.mjs';

const UNIT = join(REPOSITORY, 'systemd/roomcast.service');
const OPEN_FILES = 1048576;
const ORIGIN = 'https://app.test';
const CLIENTS = join(REPOSITORY, 'tests/client/clients.mjs');
const LOAD = join(REPOSITORY, 'tests/system/load.mjs');

const companion = (name) => readFileSync(join(REPOSITORY, `systemd/roomcast.${name}`), 'utf8');
const settings = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));

// The lines of docs/systemd.md behind the mark of this name.
function documented(name) {
  const [, rest] = readFileSync(join(REPOSITORY, 'docs/systemd.md'), 'utf8').split(`<!-- test: ${name} -->\n`);
  const lines = rest.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('    '));
  return `${lines.slice(0, end).map((line) => line.slice(4)).join('\n')}\n`;
}

before(requireRoot);

test('systemd judges the exposure of the unit to be under 2.0', async () => {
  const { stdout } = await run('systemd-analyze', ['security', '--offline=yes', '--threshold=20', UNIT]);
  assert.match(stdout, /Overall exposure level for roomcast.service: 1\.\d OK/);
});

test('sysusers makes a user of the service without a shell', async () => {
  const { stdout, stderr } = await run('systemd-sysusers', ['--dry-run', '--root', '/var/empty', join(REPOSITORY, 'systemd/roomcast.sysusers')]);
  assert.match(`${stdout}${stderr}`, /Creating user 'roomcast'/);
});

test('every sysctl key is one of this kernel, or marked as that of a module that may be absent', () => {
  // A setting that is commented out has no blank behind its #.
  const keys = companion('sysctl').match(/^#?-?[a-z]\w+\.\S+(?= = )/gm).map((key) => key.replace('#', ''));
  assert.equal(keys.length, 3);
  for (const key of keys) {
    const path = `/proc/sys/${key.replace(/^-/, '').replaceAll('.', '/')}`;
    assert.ok(existsSync(path) || /^-net\.netfilter\./.test(key), `${key}: no ${path}`);
  }
});

test('each sysctl key of vrchats\' readme is in the file, or told why it is not', () => {
  const document = readFileSync(join(REPOSITORY, 'docs/systemd.md'), 'utf8');
  const [, whyNot] = document.split('| Key | Why not |');
  const rows = whyNot.split('\n\n')[0].split('\n').map((row) => row.split(' | ')[0]).join('\n');
  for (const key of [
    'fs.file-max', 'fs.nr_open', 'net.ipv4.netfilter.ip_conntrack_max', 'net.nf_conntrack_max',
    'net.ipv4.ip_local_port_range',
  ]) {
    const isSet = settings(companion('sysctl')).some((line) => line.replace(/^-/, '').startsWith(`${key} = `));
    assert.notEqual(isSet, rows.includes(`\`${key}\``) || rows.includes(`\`${key} = `), key);
  }
});

test('the unit and limits.d agree on the open files', () => {
  assert.match(readFileSync(UNIT, 'utf8'), new RegExp(`^LimitNOFILE=${OPEN_FILES}$`, 'm'));
  assert.deepEqual(settings(companion('limits')), [`roomcast - nofile ${OPEN_FILES}`]);
});

// What systemd tells of the unit.
async function unit(machine, ...properties) {
  const text = await machine.sh(`systemctl show roomcast -p ${properties.join(' -p ')}`);
  return Object.fromEntries(text.trim().split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
}

const journal = (machine) => machine.sh('journalctl -u roomcast -o cat --no-pager');

async function logged(machine, wanted) {
  const lines = (await journal(machine)).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return lines.filter(wanted);
}

const setting = (machine, key, value) => machine.sh(`sed -i 's|^${key}=.*|${key}=${value}|' /etc/roomcast/roomcast.env`);

// Stock clients, one a room, connected to the gateway in the machine.
async function subscribe(t, machine, ca, rooms, port = 8443) {
  const token = (await machine.sh('roomcast token make --env-file /etc/roomcast/roomcast.env')).trim();
  const options = {
    url: `https://localhost:${port}`, rooms, token, transports: ['websocket'], ca: readFileSync(ca, 'utf8'),
    extraHeaders: { origin: ORIGIN },
  };
  const program = machine.startOutside(t, process.execPath, [CLIENTS, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = () => program.text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  const all = (wanted, times = rooms.length) => until(() => said().filter(wanted).length >= times, `${wanted}`);
  await all((line) => line.connected);
  return { said, all, stop: () => { program.child.stdin.end(); return program.exit; } };
}

async function publish(machine, ca, room, message) {
  const args = ['publish', '--target', room, '--data', JSON.stringify(message), '--cacert', ca];
  assert.match((await machine.runOutside(BINARY, args)).stdout, /^OK/);
}

async function install(machine) {
  machine.copy(BINARY, '/src/target/release/roomcast', '755');
  machine.copy(join(REPOSITORY, '.env_example'), '/src/.env_example');
  for (const name of ['service', 'sysusers', 'sysctl', 'limits']) {
    machine.copy(join(REPOSITORY, `systemd/roomcast.${name}`), `/src/systemd/roomcast.${name}`);
  }
  await machine.sh(`cd /src\n${documented('install')}${documented('settings')}`);
  await setting(machine, 'TRUST_ORIGIN_LIST', ORIGIN);
  await setting(machine, 'RATE_LIMIT', '0');
  machine.write('/etc/letsencrypt/renewal-hooks/deploy/roomcast', documented('renew'), '755');
}

// A certificate of a new authority, as certbot leaves it, and its hook. Returns a copy of the authority's file.
async function renew(machine, folder) {
  await machine.sh(`
    rm -rf /tmp/new /etc/letsencrypt/live
    roomcast cert --out /tmp/new
    install -d -m 700 /etc/letsencrypt/live /etc/letsencrypt/live/name
    cp /tmp/new/cert.pem /etc/letsencrypt/live/name/fullchain.pem
    cp /tmp/new/key.pem /etc/letsencrypt/live/name/privkey.pem
    RENEWED_LINEAGE=/etc/letsencrypt/live/name /etc/letsencrypt/renewal-hooks/deploy/roomcast`);
  const ca = join(folder, `ca-${randomBytes(4).toString('hex')}.pem`);
  writeFileSync(ca, await machine.sh('cat /tmp/new/ca.pem'));
  return ca;
}

test('in a booted systemd', async (t) => {
  const machine = await bootMachine(t, ['--overlay=/etc/pam.d::/etc/pam.d', '--overlay=/etc/security::/etc/security']);
  await install(machine);
  const folder = makeFolder(t);
  let ca = await renew(machine, folder);

  await t.test('systemd has nothing to say against the installed unit', async () => {
    const { stdout, stderr } = await machine.run('systemd-analyze', ['verify', '--recursive-errors=no', 'roomcast.service']);
    assert.equal(`${stdout}${stderr}`, '');
  });

  await t.test('a start returns once both ports answer, as the service user, and tells the ports', async () => {
    const text = await machine.sh(documented('start'));
    assert.match(text, /HTTP_PORT=2053 /);
    assert.match(text, /Status: "producer port 2053, consumer port 8443, up to \d+ sessions"/);
    const { MainPID, ActiveState } = await unit(machine, 'MainPID', 'ActiveState');
    assert.equal(ActiveState, 'active');
    assert.equal((await machine.sh(`ps -o user= -p ${MainPID}`)).trim(), 'roomcast');
  });

  await t.test('an event published through it reaches a stock subscriber', async (t) => {
    const clients = await subscribe(t, machine, ca, ['room-1']);
    await publish(machine, ca, 'room-1', { n: 1 });
    await clients.all((line) => line.event === 'room-1' && line.data[0].n === 1);
    await clients.stop();
  });

  await t.test('the limit of open files in effect, and how many sessions fit, are logged at the start', async (t) => {
    const { MainPID } = await unit(machine, 'MainPID');
    const [, soft, hard] = (await machine.sh(`cat /proc/${MainPID}/limits`)).match(/^Max open files +(\d+) +(\d+)/m);
    const [starting] = await logged(machine, (line) => line.message === 'starting');
    assert.deepEqual([starting.open_files, soft, hard], [Number(hard), hard, hard]);
    const allowed = Number((await run('sh', ['-c', `ulimit -Hn ${OPEN_FILES} 2>/dev/null; ulimit -Hn`])).stdout);
    assert.equal(Number(hard), Math.min(OPEN_FILES, allowed));
    t.diagnostic(`${hard} open files; this system allows ${allowed}`);
    assert.ok(starting.sessions_max > 0.8 * hard && starting.sessions_max < hard, `${starting.sessions_max}`);
    assert.equal((await machine.sh(documented('limits'))).trim(), hard, 'by hand');
  });

  await t.test('the log goes to the journal as lines that jq reads', async () => {
    const lines = (await machine.sh(documented('logs'))).trim();
    assert.match(lines, /"message": "Listening\.\.\.8443"/);
  });

  await t.test('a reload by the certificate hook serves the renewed certificate, and keeps who is connected', async (t) => {
    const clients = await subscribe(t, machine, ca, ['room-1']);
    const old = ca;
    ca = await renew(machine, folder);
    const ask = (authority) => machine.runOutside('curl', ['-sS', '--cacert', authority, 'https://localhost:8443/']);
    await until(() => ask(ca), 'the renewed certificate');
    await assert.rejects(ask(old), /certificate/);
    await publish(machine, ca, 'room-1', { n: 2 });
    await clients.all((line) => line.event === 'room-1' && line.data[0].n === 2);
    assert.ok(!clients.said().some((line) => line.disconnected));
    assert.equal((await unit(machine, 'NRestarts')).NRestarts, '0');
    await clients.stop();
  });

  await t.test('a reload of a certificate that cannot be used keeps the old one, and the status line says so', async () => {
    await machine.sh('cp -a /etc/roomcast/certs/key.pem /tmp/key.pem; echo none > /etc/roomcast/certs/key.pem; systemctl reload roomcast');
    const told = async () => (await unit(machine, 'StatusText')).StatusText.includes('the certificates in use stay: PRIV_KEY_PATH');
    await until(told, 'the status line');
    await machine.runOutside('curl', ['-sS', '--cacert', ca, 'https://localhost:8443/']);
    await machine.sh('cp -a /tmp/key.pem /etc/roomcast/certs/key.pem; systemctl reload roomcast');
    await until(async () => !(await told()), 'the status line of before');
    assert.equal((await unit(machine, 'ActiveState')).ActiveState, 'active');
  });

  await t.test('after kill -9 systemd starts it again, and a stock subscriber comes back', async (t) => {
    const clients = await subscribe(t, machine, ca, ['room-1']);
    await machine.sh(`kill -9 ${(await unit(machine, 'MainPID')).MainPID}`);
    await clients.all((line) => line.disconnected);
    await clients.all((line) => line.connected, 2);
    await publish(machine, ca, 'room-1', { n: 3 });
    await clients.all((line) => line.event === 'room-1' && line.data[0].n === 3);
    assert.equal((await unit(machine, 'NRestarts')).NRestarts, '1');
    await clients.stop();
  });

  await t.test('a stop under load delivers every publish that was answered by 200, and ends with 0', async (t) => {
    const [subscribers, rooms] = [200, 20];
    const clients = await subscribe(t, machine, ca, Array.from({ length: subscribers }, (_, index) => `room-${index % rooms}`));
    const load = machine.startOutside(t, process.execPath, [LOAD, 'https://localhost:2053', ca, '4', `${rooms}`]);
    await until(() => load.text.split('\n').length > 200, 'the load');
    await machine.sh('systemctl stop roomcast');
    const state = await unit(machine, 'ActiveState', 'Result', 'ExecMainStatus', 'ExecMainCode');
    assert.deepEqual(state, { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '0', ExecMainCode: '1' });
    assert.equal((await load.exit)[0], 0, load.text);
    await clients.all((line) => line.disconnected);
    await clients.stop();

    const accepted = load.text.trim().split('\n').map(Number);
    const heard = Array.from({ length: subscribers }, () => new Set());
    for (const { client, event, data } of clients.said()) if (event) heard[client].add(data[0].number);
    const lost = accepted.flatMap((number) => heard
      .map((numbers, client) => ({ client, number, lost: client % rooms === number % rooms && !numbers.has(number) }))
      .filter((pair) => pair.lost));
    assert.deepEqual(lost, []);
    t.diagnostic(`${accepted.length} publishes, ${subscribers / rooms} subscribers each`);
  });

  await t.test('a gateway that does nothing any more is ended by the watchdog, and started again', async () => {
    await machine.sh('mkdir -p /run/systemd/system/roomcast.service.d; printf "[Service]\\nWatchdogSec=3\\n" > /run/systemd/system/roomcast.service.d/w.conf');
    await machine.sh('systemctl daemon-reload; systemctl start roomcast');
    const { MainPID } = await unit(machine, 'MainPID');
    await machine.sh(`kill -STOP ${MainPID}`);
    const again = async () => (await unit(machine, 'NRestarts')).NRestarts === '1' && (await unit(machine, 'ActiveState')).ActiveState === 'active';
    await until(again, 'the start');
    assert.match(await journal(machine), /Watchdog timeout/);
    await machine.sh('rm -r /run/systemd/system/roomcast.service.d; systemctl daemon-reload; systemctl stop roomcast');
  });

  await t.test('with the capability for it, port 443 is served', async (t) => {
    machine.write('/run/systemd/system/roomcast.service.d/low.conf', documented('low ports'));
    await setting(machine, 'WEBSOCKET_PORT', '443');
    await machine.sh('systemctl daemon-reload; systemctl start roomcast');
    await (await subscribe(t, machine, ca, ['room-1'], 443)).stop();
    await setting(machine, 'WEBSOCKET_PORT', '8443');
    await machine.sh('rm -r /run/systemd/system/roomcast.service.d; systemctl daemon-reload; systemctl stop roomcast');
  });

  for (const [what, key, value, told] of [
    ['a wrong setting', 'HTTP_PORT', 'http', /^HTTP_PORT .*roomcast\.env:\d+/m],
    ['a certificate that is not there', 'PUB_KEY_PATH', '/etc/roomcast/certs/none.pem', /^PUB_KEY_PATH .*none\.pem/m],
  ]) {
    await t.test(`${what} fails with 64 and the line that names it, and is not tried again`, async () => {
      await machine.sh('cp -a /etc/roomcast/roomcast.env /tmp/');
      await setting(machine, key, value);
      await assert.rejects(machine.run('systemctl', ['start', 'roomcast']));
      const state = await unit(machine, 'ActiveState', 'SubState', 'Result', 'ExecMainStatus', 'NRestarts');
      const failed = { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '64', NRestarts: '0' };
      assert.deepEqual(state, failed);
      assert.match(await journal(machine), told);
      await machine.sh('cp -a /tmp/roomcast.env /etc/roomcast/; systemctl reset-failed roomcast');
    });
  }

  await t.test('a machine that powers off ends the gateway in order', async () => {
    await machine.sh('systemctl start roomcast');
    await machine.stop();
    assert.match(machine.nspawn.text, /OK .*Stopped .*roomcast\.service/);
  });
});
