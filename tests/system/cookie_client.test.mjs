// The cookie client of client_example, in a browser, on a page of an application.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { launchBrowser } from './browser.mjs';
import { BINARY, DEADLINE_MS, freePorts, REPOSITORY, run, startGateway, startProgram } from './harness.mjs';

const EXAMPLE = join(REPOSITORY, 'client_example');
const PAGE = '<!doctype html><script src="/socket.io.min.js"></script><script src="/cookie_client.js"></script>';
const script = (path) => ['text/javascript', readFileSync(join(EXAMPLE, path))];
const FILES = {
  '/': ['text/html', PAGE],
  '/socket.io.min.js': script('node_modules/socket.io-client/dist/socket.io.min.js'),
  '/cookie_client.js': script('cookie_client.js'),
};

// An application that serves the page, under a policy that lets it speak to itself and to the gateway. Its origin.
async function startApplication(t, gatewayPort) {
  const gateway = `https://localhost:${gatewayPort} wss://localhost:${gatewayPort}`;
  const policy = `default-src 'none'; script-src 'self'; connect-src ${gateway}`;
  const server = createServer((request, response) => {
    const [type, content] = FILES[request.url] ?? ['text/plain', ''];
    response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy }).end(content);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return `http://localhost:${server.address().port}`;
}

async function dailyToken(secret) {
  const env = { WEBSOCKET_AUTH_TOKEN_SECRET: secret };
  return (await run(BINARY, ['token', 'make'], { cwd: '/', env })).stdout.trim();
}

// What the page said to its console, and a way to wait for more of it.
async function openPage(t, origin, cookies) {
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const setCookies = (values) => context.addCookies(
    Object.entries(values).map(([name, value]) => ({ name, value: encodeURIComponent(value), url: origin })),
  );
  await setCookies(cookies);
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  const transports = new Set();
  page.on('response', (answer) => { if (answer.ok() && answer.url().includes('=polling')) transports.add('polling'); });
  page.on('websocket', (socket) => socket.once('framereceived', () => transports.add('websocket')));
  await page.goto(origin);
  const hears = async (wanted) => {
    while (!said.some((text) => text.includes(wanted))) {
      await page.waitForEvent('console', { timeout: DEADLINE_MS }).catch((error) => {
        throw new Error(`the page did not say "${wanted}", it said ${JSON.stringify(said)}`, { cause: error });
      });
    }
  };
  return { hears, said, setCookies, transports };
}

async function publish(gateway, target, message) {
  const args = ['publish', '--url', gateway.producerUrl, '--cacert', gateway.ca, '--target', target];
  await run(BINARY, [...args, '--data', JSON.stringify({ message })], { cwd: '/', env: {} });
}

test('it hears its user, and after the token has changed it comes back with the cookie of then', async (t) => {
  const [port] = await freePorts(1);
  const origin = await startApplication(t, port);
  const gateway = await startGateway(t, { TRUST_ORIGIN_LIST: origin, WEBSOCKET_PORT: `${port}` });
  const cookies = { chat_uuid: 'user-1', chat_server: `https://localhost:${port}` };
  const token = await dailyToken(gateway.env.WEBSOCKET_AUTH_TOKEN_SECRET);
  const page = await openPage(t, origin, { ...cookies, auth_token: token });
  await page.hears('connected');
  await publish(gateway, 'user-2', 'not for it');
  await publish(gateway, 'user-1', 'for it ☃');
  await page.hears('event {"message":"for it ☃"}');
  assert.ok(!page.said.some((text) => text.includes('not for it')));

  // Another secret changes the token as midnight does. The page is not loaded again.
  await gateway.program.stop();
  const secret = 'another-nasty-secret';
  const env = { ...gateway.env, WEBSOCKET_AUTH_TOKEN_SECRET: secret };
  const again = startProgram(t, BINARY, ['serve'], { cwd: gateway.folder, env });
  await again.line((line) => line.startsWith('{') && JSON.parse(line).port === 'consumer');
  await page.hears('no connection: invalid token');
  page.said.length = 0;
  await page.setCookies({ auth_token: await dailyToken(secret) });
  await page.hears('connected');
  await publish(gateway, 'user-1', 'again');
  await page.hears('event {"message":"again"}');
  assert.ok(page.transports.has('polling') && page.transports.has('websocket'), 'the policy allows both');
});
