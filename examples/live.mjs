// Live progress over Socket.IO, through a break: BMN_TOKEN=$(bmn token) node live.mjs "Acme Coffee"
import { io } from "socket.io-client";

const api = process.env.BMN_API_URL ?? "http://127.0.0.1:3000";
const token = process.env.BMN_TOKEN;

async function post(path, body) {
  const answer = await fetch(`${api}/api/v1${path}`, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
    },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.error} ${told.hint ?? ""}`);
  return told;
}

const socket = io(`${api}/wizard`, { auth: { token }, transports: ["websocket"], reconnectionDelay: 200 });
socket.on("connect_error", (error) => {
  console.error(error.message);
  process.exit(1);
});
await new Promise((resolve) => socket.once("connect", resolve));

const brand = await post("/brands", { name: process.argv[2] });
const job = await post("/generation/logos", { brandId: brand.id, count: 2 });

let last = 0;
const ended = new Promise((resolve) => {
  socket.onAny((event, data) => {
    if (data.jobId !== job.jobId) return;
    if (data.seq !== last + 1) throw new Error(`event ${last + 1} is missing`);
    last = data.seq;
    console.log(`${data.seq}  ${event}  ${data.progress ?? ""}  ${data.message ?? data.error}`);
    if (event === "job:complete" || event === "job:cancelled" || data.retriesLeft === 0) resolve(data);
  });
});

// What the job has told already comes first, then the answer, then what follows live.
console.log("joined", await socket.emitWithAck("job:join", { jobId: job.jobId }));

// The network goes away. The client comes back by itself and gets what it missed, once and in order.
socket.io.engine.close();
socket.once("connect", () => console.log("back, recovered:", socket.recovered));

const end = await ended;
for (const logo of end.result?.logos ?? []) console.log(logo.url);
socket.disconnect();
