// What docs/logs.md says of collecting: the jq lines, and the program for Vector, over the log of a gateway that was tried.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';

import { BINARY, REPOSITORY, TARGET, makeFolder, run, startGateway, startProgram } from './harness.mjs';

const PROGRAM = join(REPOSITORY, 'deploy/vector/roomcast.vrl');

// Pipes lines through a program, and returns what it prints.
async function pipe(file, args, lines) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `${file} ${args.join(' ')}`);
  return text;
}

const ask = (gateway, url, ...options) =>
  run('curl', ['--silent', '--show-error', '--max-time', '60', '--cacert', gateway.ca, '-o', '/dev/null', ...options, url]);

// The lines of a gateway that started, let in, refused, was asked to read its certificates again, and ended.
async function log(t) {
  const gateway = await startGateway(t, { LOG_LEVEL: 'trace', TRUST_CIDR_LIST: '127.0.0.1' });
  const json = ['-H', 'content-type: application/json', '-d'];
  const publish = `${gateway.producerUrl}/publish`;
  const tail = startProgram(
    t, BINARY,
    ['tail', '--url', gateway.consumerUrl, '--user', 'room-1', '--cacert', gateway.ca], { env: gateway.env },
  );
  await gateway.program.line((line) => line.includes('"message":"connected"'));
  await ask(gateway, publish, ...json, '{"target_id":"room-1","text":"\\"quoted\\"\\n"}');
  await ask(gateway, publish, ...json, '{"target_id":7}');
  await ask(gateway, publish, ...json, 'no json');
  await ask(gateway, publish, '-H', 'origin: https://foreign.test', ...json, '{"target_id":"room-1"}');
  gateway.program.child.kill('SIGHUP');
  await gateway.program.line((line) => line.includes('certificates read again'));
  await tail.stop();
  assert.equal(await gateway.program.stop(), 0);
  const lines = gateway.program.text.trim().split('\n');
  const messages = lines.map((line) => JSON.parse(line).message);
  for (const wanted of ['connected', 'published', 'Invalid req.body.id', 'req/res error', 'foreign origin', 'stopped']) {
    assert.ok(messages.includes(wanted), `${wanted} is not among ${messages}`);
  }
  return lines;
}

// What standard error holds when a setting is wrong: no JSON.
async function faults(t) {
  const program = startProgram(t, BINARY, ['serve', '--http-port', 'x', '--rate-limit', '2'], {
    cwd: makeFolder(t), env: {},
  });
  const [code] = await program.exit;
  assert.equal(code, 64);
  return program.text.trim().split('\n');
}

test('the lines of jq in docs/logs.md tell what they are for', async (t) => {
  const lines = [...await log(t), ...await faults(t)];
  const document = readFileSync(join(REPOSITORY, 'docs/logs.md'), 'utf8');
  const commands = [...document.matchAll(/^ {4}journalctl -u roomcast .*\| jq (-\w+) '(.*)'$/gm)];
  assert.equal(commands.length, 3);
  const told = await Promise.all(commands.map(([, option, program]) => pipe('jq', [option, program], lines)));
  const [warnings, counts, ofRoom] = told;
  assert.match(warnings, /\tforeign origin\t\t127\.0\.0\.1\t/);
  assert.match(warnings, /\treq\/res error\tinvalid_body\t127\.0\.0\.1\tthe body is neither a JSON object nor an array\n/);
  assert.ok(JSON.parse(counts).some((group) => group.message === 'Invalid req.body.id' && group.count === 1), counts);
  const rooms = ofRoom.trim().split('\n').map((line) => JSON.parse(line));
  assert.ok(rooms.some((line) => line.message === 'connected' && line.uniqueUserId === 'room-1'), ofRoom);
});

test('the program for Vector makes an event of every line', async (t) => {
  const [lines, plain] = [await log(t), await faults(t)];
  const manifest = join(REPOSITORY, 'tests/system/vrl/Cargo.toml');
  const target = join(TARGET, 'vrl');
  await run('cargo', ['build', '--quiet', '--locked', '--manifest-path', manifest, '--target-dir', target]);
  const out = await pipe(join(target, 'debug/roomcast-tests-vrl'), [PROGRAM], [...lines, ...plain]);
  const events = out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events.length, lines.length + plain.length);

  const added = { host: 'journal.test', service: 'roomcast' };
  lines.forEach((line, at) => assert.deepEqual(events[at], { ...JSON.parse(line), ...added }, 'every field, and no other'));
  plain.forEach((line, at) => {
    const level = line.startsWith('warning: ') ? 'warn' : 'error';
    const event = { level, message: line, timestamp: '1970-01-01T00:00:00Z', ...added }; // the journal's time
    assert.deepEqual(events[lines.length + at], event);
  });
  assert.ok(plain.some((line) => line.startsWith('HTTP_PORT')) && plain.some((line) => line.startsWith('warning: ')), plain);
});
