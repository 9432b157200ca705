// Listens as one user with the stock socket.io client and prints each event as a line of JSON.
// Options are environment variables; README.md lists them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const env = process.env;
const say = (words) => console.error(words);

function fail(words) {
  say(words);
  process.exit(1);
}

const { io } = await import('socket.io-client').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  fail('socket.io-client is not installed: run npm ci in the folder of this program');
});

function read(variable) {
  try {
    return readFileSync(env[variable], 'utf8');
  } catch (error) {
    return fail(`${variable}: cannot read ${env[variable]} (${error.code})`);
  }
}

// Certificates that are not trusted now are not trusted at the next attempt either.
const UNTRUSTED = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: true,
  UNABLE_TO_GET_ISSUER_CERT: true,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: true,
  SELF_SIGNED_CERT_IN_CHAIN: true,
  DEPTH_ZERO_SELF_SIGNED_CERT: true,
  CERT_HAS_EXPIRED: false,
  ERR_TLS_CERT_ALTNAME_INVALID: false,
};

// The first error in a chain of causes that has a code: Node's own, which says more than those around it.
function rootCause(error) {
  for (; error; error = error.cause ?? error.error) if (error.code) return error;
}

function failIfUntrusted(where, cause) {
  const isAuthority = UNTRUSTED[cause?.code];
  if (isAuthority === undefined) return;
  const hint = isAuthority ? ': set NODE_EXTRA_CA_CERTS to the file of its authority' : '';
  fail(`the certificate of ${where} is not trusted (${cause.message})${hint}`);
}

// SHA-512 of the secret and the UTC day, month and day without zero padding.
function dailyToken(secret, startHour) {
  const day = new Date(Date.now() - startHour * 3_600_000);
  const date = `${day.getUTCFullYear()}-${day.getUTCMonth() + 1}-${day.getUTCDate()}`;
  return createHash('sha512').update(secret + date).digest('hex');
}

async function fetchToken(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()).token;
}

// A program that holds the secret computes its token; any other asks a service of yours, or is given a JWT.
function tokenSource() {
  if (env.ROOMCAST_TOKEN_URL) return () => fetchToken(env.ROOMCAST_TOKEN_URL);
  if (env.ROOMCAST_TOKEN) return async () => env.ROOMCAST_TOKEN;
  const secret = env.WEBSOCKET_AUTH_TOKEN_SECRET_FILE
    ? read('WEBSOCKET_AUTH_TOKEN_SECRET_FILE').replace(/[\r\n]+$/, '')
    : env.WEBSOCKET_AUTH_TOKEN_SECRET;
  if (!secret) return async () => undefined;
  const startHour = Number(env.WEBSOCKET_AUTH_TOKEN_RENEW_START_HOUR || 0);
  return async () => dailyToken(secret, startHour);
}

const url = env.ROOMCAST_URL || 'https://localhost:8443';
const user = env.ROOMCAST_USER || fail('ROOMCAST_USER is missing: the user, and so the room, to listen as');
const nextToken = tokenSource();

const socket = io(url, {
  query: { uniqueUserId: user },
  // A function, called at every connect: a daily token that was computed once is refused after midnight.
  auth: (send) => {
    nextToken().then(
      (token) => send({ token }),
      (error) => {
        const cause = rootCause(error);
        failIfUntrusted(env.ROOMCAST_TOKEN_URL, cause);
        say(`no token: ${error.message}${cause ? ` (${cause.message})` : ''}`);
        // Without a token there is nothing to send; a closed transport makes the client come back by itself.
        socket.io.engine.close();
      },
    );
  },
  ...(env.ROOMCAST_TRANSPORTS && { transports: env.ROOMCAST_TRANSPORTS.split(',') }),
  ...(env.ROOMCAST_CA && { ca: read('ROOMCAST_CA') }),
});

socket.on('connect', () => say(`connected to ${url} by ${socket.io.engine.transport.name}, listening as ${user}`));
socket.on('disconnect', (reason) => say(`disconnected: ${reason}`));
socket.on('connect_error', (error) => {
  // While the socket is active the client tries again by itself. A refusal by the gateway ends that.
  if (!socket.active) fail(`refused: ${error.message}`);
  const cause = rootCause(error.description) ?? rootCause(error.context?.statusText) ?? error.description;
  failIfUntrusted(url, cause);
  // The status of a poll, or what the websocket says of its own.
  if (cause === 404 || cause?.message?.endsWith(' 404')) fail(`${url} answered 404: is this the consumer port?`);
  say(`no connection: ${error.message}${cause ? ` (${cause.message ?? cause})` : ''}`);
});
socket.onAny((event, ...args) => console.log(JSON.stringify({ time: new Date().toISOString(), event, args })));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    socket.close();
    process.exitCode = 0;
  });
}
