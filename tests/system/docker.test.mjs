// The image, from its Dockerfile to a gateway that runs in a container as docker-compose.yml says, without an engine:
// buildah builds the image, and runc, which engines use too, runs it.

import assert from 'node:assert/strict';
import {
  cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';

import { makeFolder, REPOSITORY, requireRoot, run, startProgram, TARGET, within } from './harness.mjs';

const TOOLS = join(REPOSITORY, 'target/tools/bin');
const BUILD_DEADLINE_MS = 20 * 60_000;
const PROGRAM = '/usr/bin/roomcast';
const CANARY = 'a-secret-that-must-not-be-in-the-image';
const BINARY_BYTES_MAX = 20 << 20;

const IMAGE = 'roomcast';
const store = {}; // what buildah needs to be told each time, once `before` has made it
let image; // { config, layers }: a layer is the names of its files
let rootfs;

const buildah = (...args) => run('buildah', [...store.flags, ...args], { env: store.env, timeout: BUILD_DEADLINE_MS });
const trusting = () => ['--signature-policy', store.policy];
const build = (...args) => buildah(
  'bud', '--isolation', 'chroot', '--pull-never', '--format', 'docker', ...trusting(), ...args,
);

// A container of an image, and the folder of its files.
async function mount(name) {
  const container = (await buildah('from', '--pull-never', name)).stdout.trim();
  return { container, root: (await buildah('mount', container)).stdout.trim() };
}

// Where buildah keeps images and caches. What `RUN --mount=type=cache` keeps lies in TMPDIR, and stays: the next build
// compiles less.
function openStore(folder) {
  const caches = join(TARGET, 'image-cache');
  mkdirSync(caches, { recursive: true });
  store.policy = join(folder, 'policy.json');
  writeFileSync(store.policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const registries = join(folder, 'registries.conf');
  writeFileSync(registries, 'unqualified-search-registries = []\n');
  store.flags = ['--storage-driver', 'vfs', '--root', join(folder, 'images'), '--runroot', join(folder, 'run')];
  store.env = { ...process.env, TMPDIR: caches, CONTAINERS_REGISTRIES_CONF: registries };
}

// An image under the name that the Dockerfile builds from, which holds nothing but places: this machine's compiler, its
// libraries and the crates that cargo has downloaded for it are mounted there. Returns those mounts.
async function makeBase(name) {
  const toolchain = (await run('rustc', ['--print', 'sysroot'])).stdout.trim();
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const system = ['/usr/bin', '/usr/lib', '/usr/lib64', '/usr/include', '/etc/alternatives'].filter(existsSync);
  const paths = [toolchain, join(cargoHome, 'registry'), ...system];
  const { container, root } = await mount('scratch');
  for (const path of [...paths, '/tmp']) mkdirSync(join(root, path), { recursive: true });
  for (const path of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${path}`, join(root, path));
  const settings = { PATH: `${toolchain}/bin:/usr/bin`, CARGO_HOME: cargoHome, CARGO_NET_OFFLINE: 'true' };
  const env = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  await buildah('config', ...env, container);
  await buildah('commit', '--quiet', '--format', 'docker', ...trusting(), container, name);
  return paths.flatMap((path) => ['--volume', `${path}:${path}:ro`]);
}

// A clone, with secrets where people keep them.
function makeContext(folder) {
  for (const name of ['Cargo.toml', 'Cargo.lock', 'Dockerfile', '.dockerignore', 'src', 'client_example/browser']) {
    cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
  }
  for (const name of ['.env', '.env.production', 'secret', 'certs/mine/key.pem', 'src/.env', 'src/key.pem']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), `-----BEGIN PRIVATE KEY-----\nSECRET=${CANARY}\n`);
  }
}

// What is in the image: its configuration, and the files of each layer.
async function readImage(folder) {
  const { stdout } = await buildah('inspect', '--type', 'image', IMAGE);
  const out = join(folder, 'pushed');
  await buildah('push', ...trusting(), IMAGE, `dir:${out}`);
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json')));
  const layers = await Promise.all(manifest.layers.map(async ({ digest }) => {
    const { stdout: names } = await run('tar', ['-tf', join(out, digest.replace('sha256:', ''))]);
    return names.trim().split('\n');
  }));
  return { config: JSON.parse(stdout).Docker.config, layers };
}

// The lines that docs/docker.md has the reader type.
const DOCUMENT = readFileSync(join(REPOSITORY, 'docs/docker.md'), 'utf8').replaceAll(/ \\\n */g, ' ');
const LINES = DOCUMENT.split('\n').filter((line) => line.startsWith('    ')).map((line) => line.trim());

// The one of them that has this text.
function documented(text) {
  const found = LINES.filter((line) => line.includes(text));
  assert.equal(found.length, 1, `lines of docs/docker.md with ${text}`);
  return found[0];
}

let folder;
before(async () => {
  requireRoot();
  folder = makeFolder({ after: (action) => process.on('exit', action) });
  openStore(folder);
  const context = join(folder, 'context');
  makeContext(context);
  const [, base] = readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8').match(/^FROM (\S+) AS build$/m);
  await build('--layers', '--tag', IMAGE, ...await makeBase(base), context);
  image = await readImage(folder);
  rootfs = (await mount(IMAGE)).root;
}, { timeout: BUILD_DEADLINE_MS });

test('the Dockerfile has no fault that hadolint knows', async () => {
  await run(join(TOOLS, 'hadolint'), ['--no-color', join(REPOSITORY, 'Dockerfile')]);
});

test('the image says how it is run', () => {
  const { config } = image;
  assert.equal(config.User, '65532:65532');
  assert.deepEqual(config.Entrypoint, [PROGRAM]);
  assert.deepEqual(config.Cmd, ['serve']);
  assert.deepEqual(config.Healthcheck.Test, ['CMD', PROGRAM, 'healthcheck']);
  assert.equal(config.StopSignal, 'SIGTERM');
  assert.equal(config.WorkingDir, '/etc/roomcast');
  assert.deepEqual(Object.keys(config.ExposedPorts), ['2053/tcp', '8443/tcp']);
  const names = config.Env.map((line) => line.split('=')[0]);
  assert.deepEqual(names, ['PATH', 'MALLOC_MMAP_THRESHOLD_'], 'no setting and no secret');
});

test('the layers hold the program and nothing else', () => {
  const names = image.layers.flat();
  assert.deepEqual(names.filter((name) => !name.endsWith('/')), ['usr/bin/roomcast']);
  const folders = ['usr/', 'usr/bin/', 'etc/', 'etc/roomcast/'];
  assert.deepEqual(names.filter((name) => name.endsWith('/') && !folders.includes(name)), []);
});

test('no secret of the folder goes to the builder', async (t) => {
  const everything = makeFolder(t);
  makeContext(everything);
  writeFileSync(join(everything, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
  await build('--tag', 'context', everything);
  const { root } = await mount('context');
  assert.deepEqual(readdirSync(root).sort(), ['Cargo.lock', 'Cargo.toml', 'client_example', 'src']);
  assert.deepEqual(readdirSync(join(root, 'client_example')), ['browser']);
  await assert.rejects(run('grep', ['-rl', CANARY, root]), { code: 1 }, 'grep finds nothing');
});

test('the program is static and small', async () => {
  const program = join(rootfs, PROGRAM);
  assert.ok(statSync(program).size < BINARY_BYTES_MAX, `${statSync(program).size} bytes`);
  const { stdout: segments } = await run('readelf', ['--program-headers', program]);
  assert.doesNotMatch(segments, /INTERP/);
  const { stdout: dynamic } = await run('readelf', ['--dynamic', program]);
  assert.doesNotMatch(dynamic, /NEEDED/);
});

const readYaml = async (file) => {
  const script = `
import json, sys, ruamel.yaml
print(json.dumps(ruamel.yaml.YAML(typ="safe").load(open(sys.argv[1]))))`;
  return JSON.parse((await run(join(TOOLS, 'python'), ['-c', script, file])).stdout);
};

const readCompose = async () => (await readYaml(join(REPOSITORY, 'docker-compose.yml'))).services.roomcast;

test('the compose file is valid, and fits the image', async () => {
  const file = join(REPOSITORY, 'docker-compose.yml');
  await run(join(TOOLS, 'check-jsonschema'), ['--builtin-schema', 'vendor.compose-spec', file]);
  const service = await readCompose();
  const inner = service.ports.map((port) => `${port.split(':').at(-1)}/tcp`);
  assert.deepEqual(inner, Object.keys(image.config.ExposedPorts));
  assert.ok(service.ports[0].startsWith('127.0.0.1:'), 'not everybody reaches the producer port');
  assert.equal(service.healthcheck, undefined, "the image's holds");
  assert.equal(service.entrypoint ?? service.command ?? service.user, undefined);
  const [, drain] = readFileSync(join(REPOSITORY, '.env_example'), 'utf8').match(/^DRAIN_TIMEOUT_MS=(\d+)$/m);
  assert.ok(parseInt(service.stop_grace_period, 10) * 1000 > Number(drain));
  assert.ok(service.read_only);
  assert.deepEqual([service.cap_drop, service.security_opt], [['ALL'], ['no-new-privileges:true']]);

  const alone = documented('docker run --detach');
  for (const option of [
    `--restart ${service.restart}`, '--read-only', '--cap-drop ALL', `--security-opt ${service.security_opt}`,
    `--cpus ${service.cpus}`, `--ulimit nofile=${service.ulimits.nofile}`,
    `--stop-timeout ${parseInt(service.stop_grace_period, 10)}`, ...service.ports.map((port) => `--publish ${port}`),
    ...service.volumes.map(({ source, target }) => `--volume "${source.replace('.', '$PWD')}:${target}:ro"`),
  ]) assert.ok(alone.includes(` ${option} `), `docker run has no ${option}: ${alone}`);
});

// A folder made by the lines of docs/docker.md, with certificates that the image made.
async function makeProject(t) {
  const project = makeFolder(t);
  cpSync(join(REPOSITORY, '.env_example'), join(project, '.env_example'));
  mkdirSync(join(project, 'certs'));
  const type = (line) => run('bash', ['-c', line.replace('sudo ', '')], { cwd: project });
  await type(documented('cp .env_example'));
  assert.equal(statSync(join(project, '.env')).mode & 0o777, 0o600, 'a secret that nobody else could read for a moment');
  await makeCertificates(t, project);
  const allow = async () => {
    await type(documented('chgrp'));
    await type(documented('chmod'));
  };
  await allow();
  const modes = { '.env': [0o640, 65532], 'certs/mine/key.pem': [0o640, 65532], 'certs/mine/ca-key.pem': [0o600, 0] };
  for (const [name, expected] of Object.entries(modes)) {
    const { mode, gid } = statSync(join(project, name));
    assert.deepEqual([mode & 0o777, gid], expected, name);
  }
  return { path: project, allow };
}

// As `docker run --rm` does with the user of the folder, who is root here, and the one volume that the line names.
async function makeCertificates(t, project, ...more) {
  const args = documented('docker run --rm').split(' roomcast ')[1].split(' ');
  const volumes = [{ source: './certs', target: '/etc/roomcast/certs' }];
  const container = await startContainer(t, { path: project }, { args: [...args, ...more], user: '0:0', volumes });
  assert.equal(await container.exit(), 0, container.program.text);
}

let containers = 0;

// As many open files as the compose file says, or as this machine lets a container have.
async function openFiles(service) {
  const { stdout } = await run('prlimit', ['--nofile', '--output', 'HARD', '--noheadings', '--raw']);
  return Math.min(service.ulimits.nofile, Number(stdout));
}

// A container of the image, with the command that it has itself or `args`, as the compose file says but for `service`.
async function startContainer(t, project, { args = image.config.Cmd, ...more } = {}) {
  const service = { ...await readCompose(), ...more };
  const bundle = makeFolder(t);
  await run('runc', ['spec', '--bundle', bundle]);
  const spec = JSON.parse(readFileSync(join(bundle, 'config.json')));
  const [uid, gid] = (service.user ?? image.config.User).split(':').map(Number);
  const limit = await openFiles(service);
  const none = [];
  Object.assign(spec.process, {
    terminal: false, user: { uid, gid }, cwd: image.config.WorkingDir, env: image.config.Env,
    args: [...image.config.Entrypoint, ...args],
    capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: limit, hard: limit }], noNewPrivileges: true,
  });
  spec.root = { path: rootfs, readonly: service.read_only };
  // Every engine gives a container this file.
  const hosts = join(bundle, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n::1 localhost\n');
  const mounts = [{ source: hosts, target: '/etc/hosts', read_only: true }, ...service.volumes];
  for (const { source, target, read_only: isReadOnly } of mounts) {
    const options = ['bind', isReadOnly ? 'ro' : 'rw'];
    spec.mounts.push({ source: resolve(project.path, source), destination: target, type: 'bind', options });
  }
  const period = 100_000;
  if (service.cpus) spec.linux.resources.cpu = { period, quota: service.cpus * period };
  const id = `roomcast-test-${process.pid}-${containers += 1}`;
  spec.linux.cgroupsPath = `/${id}`;
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));

  const state = ['--root', join(folder, 'runc')];
  const runc = (...command) => run('runc', [...state, ...command]);
  const program = startProgram(t, 'runc', [...state, 'run', '--bundle', bundle, id]);
  t.after(() => runc('delete', '--force', id).catch(() => {}));
  // Types a line of docs/docker.md: `docker compose exec` and `kill` reach this container.
  writeFileSync(join(bundle, 'docker'), `#!/bin/bash
    case "$*" in
      "compose exec -T roomcast "*) exec runc ${state.join(' ')} exec ${id} "\${@:5}" ;;
      "compose exec roomcast "*) exec runc ${state.join(' ')} exec ${id} "\${@:4}" ;;
      "compose kill --signal "*" roomcast") exec runc ${state.join(' ')} kill ${id} "$4" ;;
      *) exit 2 ;;
    esac`, { mode: 0o755 });
  const typed = (text) => ['bash', ['-c', documented(text)], { env: { PATH: `${bundle}:${process.env.PATH}` } }];
  return {
    program,
    type: (text) => run(...typed(text)),
    startTyping: (text) => startProgram(t, ...typed(text)),
    exec: (...command) => runc('exec', id, ...command),
    signal: (name) => runc('kill', id, name),
    pid: async () => JSON.parse((await runc('state', id)).stdout).pid,
    exit: async () => (await within(program.exit, () => `it runs on:\n${program.text}`))[0],
  };
}

async function logged(program, wanted) {
  return JSON.parse(await program.line((line) => line.startsWith('{') && wanted(JSON.parse(line))));
}

async function startServing(t, project, service) {
  const container = await startContainer(t, project, service);
  for (const port of ['producer', 'consumer', 'admin']) await logged(container.program, (line) => line.port === port);
  return container;
}

test('an event goes through the container, which is well until it ends in order', async (t) => {
  const container = await startServing(t, await makeProject(t));
  const start = await logged(container.program, (line) => line.message === 'starting');
  assert.equal(start.open_files, await openFiles(await readCompose()));

  const tail = container.startTyping('roomcast tail');
  await tail.line((line) => line.includes('listening to room-1'));
  await container.type('roomcast publish');
  const event = JSON.parse(await tail.line((line) => line.startsWith('{')));
  assert.deepEqual([event.event, event.data], ['room-1', { message: 'hello' }]);

  const { stdout: verdict } = await container.exec(...image.config.Healthcheck.Test.slice(1));
  assert.equal(verdict, 'healthy: 127.0.0.1:18190/livez answered 200\n');
  assert.equal((await container.type('roomcast healthcheck')).stdout, verdict);
  await assert.rejects(container.exec('/bin/sh', '-c', 'true'), /no such file/);

  await container.signal(image.config.StopSignal);
  assert.equal(await container.exit(), 0, container.program.text);
  await logged(container.program, (line) => line.message === 'stopped');
});

test('a gateway that hangs is unhealthy, and one that is not there', async (t) => {
  const project = await makeProject(t);
  const container = await startServing(t, project);
  const healthcheck = image.config.Healthcheck.Test.slice(1);
  await container.signal('SIGSTOP');
  await assert.rejects(container.exec(...healthcheck), { code: 1, stdout: /^unhealthy: / });
  await container.signal('SIGCONT');
  await container.exec(...healthcheck);
  await container.signal('SIGTERM');
  assert.equal(await container.exit(), 0);

  const alone = await startContainer(t, project, { args: healthcheck.slice(1) });
  assert.equal(await alone.exit(), 1);
  assert.match(alone.program.text, /^unhealthy: .*refused/);
});

test('SIGHUP makes it read renewed certificates', async (t) => {
  const project = await makeProject(t);
  const container = await startServing(t, project);
  const shown = async () => {
    const { stdout } = await run('nsenter', [
      '--net', '--target', `${await container.pid()}`, 'curl', '--silent', '--insecure', '--output', '/dev/null',
      '--write-out', '%{certs}', 'https://127.0.0.1:8443/',
    ]);
    return stdout;
  };
  const old = await shown();
  await makeCertificates(t, project.path, '--force');
  await project.allow();
  assert.equal(await shown(), old);
  await container.type('--signal HUP');
  await container.program.line((line) => line.includes('certificates read again'));
  assert.notEqual(await shown(), old);
});

test('certificates that the image\'s user may not read are named', async (t) => {
  const project = await makeProject(t);
  await run('chmod', ['600', join(project.path, 'certs/mine/key.pem')]);
  const container = await startContainer(t, project);
  assert.equal(await container.exit(), 64);
  assert.match(container.program.text, /PRIV_KEY_PATH.*certs\/mine\/key\.pem.*Permission denied/);
});

test('there is a worker for each whole CPU that the container may use', async (t) => {
  const project = await makeProject(t);
  const cores = availableParallelism();
  assert.ok(cores > 1, 'a machine with one core cannot show it');
  for (const [quota, workers] of [[1, 1], [1.5, 1], [0.5, 1], [2, 2], [0, cores]]) {
    const container = await startServing(t, project, { cpus: quota });
    const start = await logged(container.program, (line) => line.message === 'starting');
    const tasks = `/proc/${await container.pid()}/task`;
    const names = readdirSync(tasks).map((task) => readFileSync(join(tasks, task, 'comm'), 'utf8').trim());
    const threads = names.filter((name) => name.startsWith('worker-')).length;
    assert.deepEqual([start.workers, threads], [workers, workers], `cpus: ${quota}`);
    await container.signal('SIGKILL');
    await container.exit();
  }
});
