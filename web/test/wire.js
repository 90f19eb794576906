/** The network between client and server, in the test's hands: it can be cut, and loses what the test names. */

import http from 'node:http';

import { WebSocket, WebSocketServer } from 'ws';

/** @param {string} target  the server's address; `wire.target` is where connections go that come from now on */
export async function startWire(target) {
  const open = new Set();
  const wire = {
    target,
    /** WebSocket messages as they pass: a text to pass instead, or null to lose it. */
    toClient: (text) => text,
    toServer: (text) => text,
    connections: 0,
    refusesWebSockets: false,
    /** WebSockets that are open now. */
    get open() {
      return open.size;
    },
    /** Texts that passed, in either direction. */
    sent: [],
    received: [],
    cut,
    say,
    close,
  };
  const server = http.createServer((request, answer) => {
    const asked = http.request(wire.target + request.url, { method: request.method, headers: request.headers }, (reply) => {
      answer.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answer);
    });
    asked.on('error', () => answer.destroy());
    request.pipe(asked);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (wire.refusesWebSockets) socket.destroy();
    else sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
  });
  sockets.on('connection', (client, request) => {
    wire.connections += 1;
    const upstream = new WebSocket(wire.target.replace('http', 'ws') + request.url);
    const pair = { client, upstream };
    open.add(pair);
    const early = [];
    client.on('message', (data) => (upstream.readyState === WebSocket.OPEN ? up(data) : early.push(data)));
    upstream.on('open', () => early.splice(0).forEach(up));
    upstream.on('message', (data) => pass(client, wire.toClient(String(data)), wire.received));
    for (const side of [client, upstream]) side.on('error', () => {}).on('close', () => end(pair));

    function up(data) {
      pass(upstream, wire.toServer(String(data)), wire.sent);
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  wire.url = `http://127.0.0.1:${server.address().port}`;
  return wire;

  function pass(to, text, log) {
    if (text === null || to.readyState !== WebSocket.OPEN) return;
    log.push(text);
    to.send(text);
  }

  function end(pair) {
    open.delete(pair);
    pair.client.terminate();
    pair.upstream.terminate();
  }

  /** The connections break without a word. */
  function cut() {
    [...open].forEach(end);
  }

  /** Something the server never said. */
  function say(text) {
    for (const { client } of open) client.send(text);
  }

  function close() {
    cut();
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  }
}
