// Drives the official Socket.IO client: JSON commands in on stdin, one a line; what happens out on stdout, one a line.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const sockets = new Map();
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const commands = {
  connect({ name, url, options }) {
    const socket = io(url, { forceNew: true, ...options });
    sockets.set(name, socket);
    socket.on("connect", () => say({ name, type: "connect", id: socket.id, recovered: Boolean(socket.recovered) }));
    socket.on("disconnect", (reason) => say({ name, type: "disconnect", reason }));
    socket.on("connect_error", (error) =>
      say({ name, type: "connect_error", message: error.message, data: error.data ?? null, active: socket.active }),
    );
    socket.onAny((event, ...args) => say({ name, type: "event", event, args, at: Date.now() }));
  },
  emit({ name, event, args, ack }) {
    const socket = sockets.get(name);
    const given = (args ?? []).map((arg) => (arg && arg.$bytes ? Buffer.alloc(arg.$bytes) : arg));
    if (ack === undefined) socket.emit(event, ...given);
    else socket.emit(event, ...given, (...answer) => say({ name, type: "ack", ack, answer }));
  },
  // The connection breaks without a word of Socket.IO, as it does when a network does.
  cut({ name }) {
    sockets.get(name).io.engine.close();
  },
  // The same, and it stays away until `open`.
  away({ name }) {
    const manager = sockets.get(name).io;
    manager.reconnection(false);
    manager.engine.close();
  },
  open({ name, url, auth }) {
    const socket = sockets.get(name);
    if (url) socket.io.uri = url;
    if (auth) socket.auth = auth;
    socket.io.reconnection(true);
    socket.connect();
  },
  set({ name, auth }) {
    sockets.get(name).auth = auth;
  },
  disconnect({ name }) {
    sockets.get(name).disconnect();
  },
  offset({ name }) {
    const socket = sockets.get(name);
    say({ name, type: "offset", pid: socket._pid ?? null, offset: socket._lastOffset ?? null });
  },
  // The client stops reading what arrives, without closing anything.
  freeze({ name }) {
    sockets.get(name).io.engine.transport.ws._socket.pause();
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const command = JSON.parse(line);
  try {
    commands[command.do](command);
  } catch (error) {
    say({ type: "fault", message: String(error.stack ?? error) });
  }
}).on("close", () => process.exit(0));
