// The Environment= lines of vrchats' published systemd unit, as they are: a cluster, client certificates on both ports, and
// Cloudflare in front. The gateway and the outside are network namespaces of the test's own.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { BINARY, makeFolder, REPOSITORY, requireRoot, run, SECRET, startProgram } from './harness.mjs';

const UNIT = join(REPOSITORY, 'tests/gateway/migration/fixtures/pm2.service');
const GATEWAY = '192.0.2.1';
const OUTSIDE = '192.0.2.2';
const CLOUDFLARE = '173.245.48.10'; // of 173.245.48.0/20, which the unit trusts as a proxy
const STRANGER = '198.51.100.7';
const BACKEND = '123.123.123.123'; // which the unit lets publish
const namespaces = { gateway: `rc-gw-${process.pid}`, outside: `rc-out-${process.pid}` };
const inside = (name, ...command) => ['ip', ['netns', 'exec', namespaces[name], ...command]];

before(async () => {
  requireRoot();
  const ip = (...args) => run('ip', args);
  for (const name of Object.values(namespaces)) await ip('netns', 'add', name);
  await ip('-n', namespaces.outside, 'link', 'add', 'out', 'type', 'veth', 'peer', 'name', 'gw', 'netns', namespaces.gateway);
  for (const [name, link, address] of [['gateway', 'gw', GATEWAY], ['outside', 'out', OUTSIDE]]) {
    await ip('-n', namespaces[name], 'address', 'add', `${address}/24`, 'dev', link);
    for (const up of ['lo', link]) await ip('-n', namespaces[name], 'link', 'set', up, 'up');
  }
  for (const address of [CLOUDFLARE, STRANGER]) {
    await ip('-n', namespaces.outside, 'address', 'add', `${address}/32`, 'dev', 'out');
  }
  await ip('-n', namespaces.gateway, 'route', 'add', 'default', 'via', OUTSIDE);
});
after(async () => {
  for (const name of Object.values(namespaces)) await run('ip', ['netns', 'delete', name]).catch(() => {});
});

// The variables of the unit's lines, as systemd reads them: none of them needs more than its quotes taken off.
function environment(changes) {
  const lines = readFileSync(UNIT, 'utf8').trimEnd().split('\n');
  const variables = lines.map((line) => /^Environment=([A-Z_]+)=(?:"([^"]*)"|([^" ]*))$/.exec(line));
  assert.ok(variables.every(Boolean), 'every line of the unit is understood');
  return { ...Object.fromEntries(variables.map(([, name, quoted, bare]) => [name, quoted ?? bare])), ...changes };
}

async function makeCertificates(folder, name) {
  const out = join(folder, name);
  await run(BINARY, ['cert', '--out', out, '--host', GATEWAY, '--client', 'backend']);
  return out;
}

// Starts a gateway that finds the certificates where the unit says, in a mount namespace of its own.
async function startUnit(t, folder, certs, { env, args = ['serve'] }) {
  const binary = join(folder, 'roomcast');
  cpSync(BINARY, binary);
  const names = { 'pubkey.pem': 'cert.pem', 'privkey.pem': 'key.pem', 'ca.pem': 'ca.pem' };
  const copies = Object.entries(names).map(([to, from]) => `cp "${certs}/${from}" "/var/www/vrchats/${to}"`);
  const script = ['set -e', 'mount -t tmpfs tmpfs /var', 'mkdir -p /var/www/vrchats', ...copies, 'exec "$@"'].join('\n');
  const [file, command] = inside('gateway', 'unshare', '--mount', 'sh', '-c', script, 'sh', binary, ...args);
  const program = startProgram(t, file, command, { cwd: folder, env: { PATH: process.env.PATH, ...env } });
  for (const port of ['producer', 'consumer']) {
    await program.line((line) => line.startsWith('{') && JSON.parse(line).port === port);
  }
  return program;
}

const identity = (certs) => ['--cert', join(certs, 'client-backend.pem'), '--key', join(certs, 'client-backend-key.pem')];

// Publishes from an address of the outside: the status, or that of curl where there was none.
async function publish(certs, { from, headers = {}, client = identity(certs), number = 0 }) {
  const fields = Object.entries({ 'content-type': 'application/json', ...headers });
  const [file, args] = inside(
    'outside', 'curl', '-sS', '--max-time', '30', '--interface', from, '--cacert', join(certs, 'ca.pem'), ...client,
    ...fields.flatMap(([name, value]) => ['-H', `${name}: ${value}`]), '-o', '/dev/null', '-w', '%{http_code}',
    '-d', JSON.stringify({ target_id: 'room-1', number }), `https://${GATEWAY}:2053/publish`,
  );
  try {
    return Number((await run(file, args)).stdout);
  } catch (error) {
    return `curl ${error.code}`;
  }
}

// A subscriber that shows a client certificate. Its events are its lines.
function subscribe(t, folder, certs, client = identity(certs)) {
  const secret = join(folder, 'secret');
  writeFileSync(secret, SECRET, { mode: 0o600 });
  const args = ['--url', `https://${GATEWAY}:8443`, '--user', 'room-1', '--secret-file', secret];
  return startProgram(t, ...inside('outside', BINARY, 'tail', ...args, '--cacert', join(certs, 'ca.pem'), ...client));
}

const behindCloudflare = (chain, client) => ({ 'x-forwarded-for': chain, 'cf-connecting-ip': client });

// What a gateway with the settings of the unit must do, whoever wrote them down.
async function servesBehindCloudflare(t, folder, certs, program) {
  const subscriber = subscribe(t, folder, certs);
  await program.line((line) => line.includes('"connected"'));
  const trusted = [
    [BACKEND, 'as Cloudflare sends it'],
    [`203.0.113.9, ${BACKEND}`, 'with what the client had sent before it'],
  ];
  for (const [number, [chain, what]] of trusted.entries()) {
    const headers = behindCloudflare(chain, BACKEND);
    assert.equal(await publish(certs, { from: CLOUDFLARE, headers, number }), 200, what);
    assert.deepEqual(JSON.parse(await subscriber.line((line) => line.includes(`"number":${number}`))).data, { number });
  }

  const others = await makeCertificates(folder, `others-${Date.now()}`);
  const trust = behindCloudflare(BACKEND, BACKEND);
  const stolen = behindCloudflare(`${BACKEND}, 203.0.113.9`, '203.0.113.9');
  for (const [what, request, expected] of [
    ['a client that writes the header itself', { from: CLOUDFLARE, headers: stolen }, [403]],
    ['a forged cf-connecting-ip', { from: CLOUDFLARE, headers: behindCloudflare('203.0.113.9', BACKEND) }, [403]],
    ['no header', { from: CLOUDFLARE }, [403]],
    ['a peer that is no proxy', { from: STRANGER, headers: trust }, [403]],
    ['no certificate', { from: CLOUDFLARE, headers: trust, client: [] }, ['curl 35', 'curl 55', 'curl 56']],
    [
      'a certificate of another authority',
      { from: CLOUDFLARE, headers: trust, client: identity(others) }, ['curl 35', 'curl 55', 'curl 56'],
    ],
  ]) {
    const got = await publish(certs, { ...request, number: 99 });
    assert.ok(expected.includes(got), `${what}: ${got}`);
  }
  const barred = subscribe(t, folder, certs, []);
  await barred.line((line) => /CertificateRequired/i.test(line));
  barred.child.kill('SIGKILL');

  assert.equal(await publish(certs, { from: CLOUDFLARE, headers: trust, number: 7 }), 200, 'and it still serves');
  await subscriber.line((line) => line.includes('"number":7'));
  assert.ok(!subscriber.text.includes('"number":99'), 'what was refused is heard by nobody');
  subscriber.child.kill('SIGKILL');
  assert.equal(await program.stop(), 0, program.text);
}

for (const [instances, workers] of [['-1', Math.max(availableParallelism() - 1, 1)], ['2', 2]]) {
  test(`the unit with CLUSTER_INSTANCES=${instances} serves behind Cloudflare`, async (t) => {
    const folder = makeFolder(t);
    const certs = await makeCertificates(folder, 'certs');
    const env = environment(instances === '-1' ? {} : { CLUSTER_INSTANCES: instances });
    assert.equal(env.CLUSTER_INSTANCES, instances);
    const program = await startUnit(t, folder, certs, { env });
    const lines = program.text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    assert.equal(lines.find((line) => line.message === 'starting').workers, workers);
    for (const message of [
      'WEBSOCKET_AUTH is not set: token',
      'EVENT_ID_REGEX_VALIDATION_PATTERN is not set: 1 to 255 bytes, no control characters',
      'LOGS_DIR, NODE_ENV: accepted, without effect',
      'HTTP_PORT: PRODUCER_PORT (environment) is its old name, and still read',
      'STANDALONE_PORT: has no effect without CLUSTER_MODE=0; the ports are HTTP_PORT and WEBSOCKET_PORT',
    ]) {
      assert.ok(lines.some((line) => line.message === message), `not told: ${message}\n${program.text}`);
    }
    await servesBehindCloudflare(t, folder, certs, program);
  });
}

test('what migrate-env makes of the unit serves as it does, without a warning', async (t) => {
  const folder = makeFolder(t);
  const certs = await makeCertificates(folder, 'certs');
  const { stdout } = await run(BINARY, ['migrate-env', UNIT]);
  const envFile = join(folder, 'roomcast.env');
  writeFileSync(envFile, stdout, { mode: 0o600 });
  const program = await startUnit(t, folder, certs, { env: {}, args: ['serve', '--env-file', envFile] });
  const warnings = program.text.split('\n').filter((line) => line.includes('"level":"warn"'));
  assert.deepEqual(warnings.filter((line) => !line.includes('MAX_CONNECTIONS')), []);
  await servesBehindCloudflare(t, folder, certs, program);
});

test('a key that the user may not read is told at the start and by check', async (t) => {
  const folder = makeFolder(t);
  const certs = await makeCertificates(folder, 'certs');
  const binary = join(folder, 'roomcast');
  cpSync(BINARY, binary);
  await run('chmod', ['-R', 'a+rX', folder]);
  const key = join(certs, 'key.pem');
  await run('chmod', ['000', key]);
  const env = { PUB_KEY_PATH: join(certs, 'cert.pem'), PRIV_KEY_PATH: key, WEBSOCKET_AUTH_TOKEN_SECRET: SECRET };
  for (const command of ['serve', 'check']) {
    const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const error = await run('setpriv', [...user, binary, command], { cwd: folder, env }).catch((failed) => failed);
    assert.equal(error.code, 64, `${command}: ${error.message}`);
    const told = `PRIV_KEY_PATH (environment): cannot read "${key}": Permission denied`;
    assert.ok(`${error.stdout}${error.stderr}`.includes(told), `${command}: ${error.message}`);
  }
});
